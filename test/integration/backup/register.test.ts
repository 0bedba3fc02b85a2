import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openSource } from '../../../src/backup/source.ts';
import { killConnections } from '../../../src/database/lock-threads.ts';
import { makeLog } from '../../support/backup/backups.ts';
import { until } from '../../support/deploy.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });

test('a take-over of the lock ends every connection of a backup, those of mariadb-dump too', async () => {
  const database = await server.createDatabase();
  const root = await server.connect();
  const filler = "INSERT INTO t SELECT seq, REPEAT('x', 1000) FROM seq_1_to_5000";
  const maker = await server.connect(database);
  await maker.run('CREATE TABLE t (id INT PRIMARY KEY, s TEXT)');
  await maker.run(filler);
  await maker.close();
  const openIn = async () => {
    const rows = await root.query<{ id: string }>(
      `SELECT id FROM information_schema.processlist WHERE db = '${database}'`,
    );
    return rows.map(({ id }) => Number(id));
  };
  const registered: number[] = [];
  const register = async (id: number) => void registered.push(id);

  // Nobody reads what is dumped, as when the run is frozen: the dump waits with its table open.
  const source = await openSource({
    ...{ address: server.address, database, log: makeLog(), registerConnection: register },
  });
  const dumping = await root.query<{ id: string }>(
    `SELECT id FROM information_schema.processlist
     WHERE db = '${database}' AND info LIKE 'SELECT /*!40001 SQL_NO_CACHE%'`,
  );

  assert.equal(source.dumps.length, 1);
  assert.equal(dumping.length, 1);
  assert.ok(registered.includes(Number(dumping[0]!.id)), 'the dump is not registered');
  await killConnections(root, registered);
  await until('all connections are closed', async () => (await openIn()).length === 0);
  source.destroy();
});
