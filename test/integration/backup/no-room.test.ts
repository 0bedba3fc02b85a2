/** A database server that has no room for the second copy of the tables, which a restore stages. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { inspect } from 'node:util';
import { compareContents } from '../../../src/backup/differences.ts';
import type { DeployError } from '../../../src/errors/deploy-error.ts';
import {
  contentsOf,
  leftoverSchemas,
  makeBackupDir,
  restore,
  take,
} from '../../support/backup/backups.ts';
import { until } from '../../support/deploy.ts';
import { startTestServer } from '../../support/server.ts';

/** All tables in one file that may not grow beyond this: a full disk that ends no server. */
const server = await startTestServer(
  { after },
  {
    args: [
      '--innodb-file-per-table=0',
      '--innodb-data-file-path=ibdata1:12M:autoextend:max:40M',
      '--innodb-autoextend-increment=1',
    ],
  },
);

test('SPACE_SHORT while a restore is staged: the database is as it was, and with room it can be repeated', async (t) => {
  const database = await server.createDatabase();
  const db = await server.connect(database);
  await db.run('CREATE TABLE t (id INT PRIMARY KEY, b VARBINARY(4000))');
  const bytes = `UNHEX(CONCAT(${Array(60).fill('SHA2(RAND(), 512)').join(',')}))`;
  await db.run(`INSERT INTO t SELECT seq, ${bytes} FROM seq_1_to_1500`);
  const set = await take(server.address, database, makeBackupDir(t));
  await db.run('UPDATE t SET b = NULL WHERE id < 4');
  const changed = await contentsOf(server.address, database);
  await db.run('CREATE TABLE filler (id INT PRIMARY KEY, b VARBINARY(4000))');
  await fillUp((from) =>
    db.run(`INSERT INTO filler SELECT ${from} + seq, ${bytes} FROM seq_1_to_200`),
  );
  const withFiller = await contentsOf(server.address, database);

  const error = await restore(server.address, database, set).then(
    () => assert.fail('it did not fail'),
    (thrown: unknown) => thrown as DeployError,
  );

  assert.equal(error.code, 'SPACE_SHORT', inspect(error));
  assert.match(error.message, /no room to load backup_\S+ beside .*: the set has \d+ bytes/);
  assert.deepEqual(compareContents(withFiller, await contentsOf(server.address, database)), []);
  assert.deepEqual(await leftoverSchemas(server.address, database), []);
  await db.run('DROP TABLE filler');
  assert.deepEqual(compareContents(changed, await contentsOf(server.address, database)), []);
  // The pages of a dropped table are free a moment later.
  await until('there is room', () =>
    restore(server.address, database, set).then(
      () => true,
      (thrown: DeployError) => {
        assert.equal(thrown.code, 'SPACE_SHORT', inspect(thrown));
        return false;
      },
    ),
  );
  assert.deepEqual(compareContents(set.manifest, await contentsOf(server.address, database)), []);
});

async function fillUp(write: (from: number) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < 20_000; from += 200) {
    try {
      await write(from);
    } catch (error) {
      assert.equal((error as { errno?: number }).errno, 1114, inspect(error));
      return;
    }
  }
  assert.fail('the server never got full');
}
