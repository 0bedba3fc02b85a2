import assert from 'node:assert/strict';
import { cpSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Contents } from '../../../src/backup/contents.ts';
import { listSets } from '../../../src/backup/list.ts';
import type { BackupSet } from '../../../src/backup/manifest.ts';
import { verifySet } from '../../../src/backup/verify.ts';
import { isDeployError } from '../../../src/errors/deploy-error.ts';
import {
  contentsOf,
  leftoverSchemas,
  makeBackupDir,
  restore,
  take,
} from '../../support/backup/backups.ts';
import { flipBit, forgeManifest } from '../../support/backup/damage.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });
const { address } = server;

describe('restoreSet refuses before the first write', () => {
  const dir = makeBackupDir({ after });
  let database: string;
  let good: BackupSet;
  let set: BackupSet;
  let live: Contents;

  before(async () => {
    database = await server.createDatabase();
    const db = await server.connect(database);
    await db.run('CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(40))');
    await db.run('INSERT INTO t SELECT seq, MD5(seq) FROM seq_1_to_2000');
    good = await take(address, database, dir);
    await db.run('DELETE FROM t WHERE id > 1000');
    live = await contentsOf(address, database);
  });
  beforeEach(() => {
    set = { ...good, dir: join(dir, 'copies', good.name) };
    rmSync(join(dir, 'copies'), { recursive: true, force: true });
    cpSync(good.dir, set.dir, { recursive: true });
  });

  const file = (name: string) => join(set.dir, name);
  const size = (name: string) => readFileSync(file(name)).length;
  const cases: readonly (readonly [what: string, damage: () => void, message: RegExp])[] = [
    [
      'one byte short',
      () => truncateSync(file('rows-0001-t.sql.zst'), size('rows-0001-t.sql.zst') - 1),
      /rows-0001-t\.sql\.zst is cut off: \d+ of \d+ bytes/,
    ],
    [
      'half as long',
      () => truncateSync(file('rows-0001-t.sql.zst'), Math.floor(size('rows-0001-t.sql.zst') / 2)),
      /rows-0001-t\.sql\.zst is cut off/,
    ],
    [
      'empty',
      () => truncateSync(file('structure.sql.zst'), 0),
      /structure\.sql\.zst is cut off: 0 of/,
    ],
    [
      'longer',
      () => writeFileSync(file('objects.sql.zst'), 'more', { flag: 'a' }),
      /objects\.sql\.zst is longer than it was/,
    ],
    [
      'bit-flipped',
      () => flipBit(file('rows-0001-t.sql.zst'), 1000),
      /rows-0001-t\.sql\.zst is damaged: its SHA-256/,
    ],
    ['half deleted', () => rmSync(file('rows-0001-t.sql.zst')), /rows-0001-t\.sql\.zst is missing/],
    ['without manifest', () => rmSync(file('manifest.json')), /no readable manifest\.json/],
    [
      'cut off in its manifest',
      () => truncateSync(file('manifest.json'), 500),
      /manifest is damaged: it is not complete JSON/,
    ],
    [
      'bit-flipped in its manifest',
      () =>
        flipBit(
          file('manifest.json'),
          readFileSync(file('manifest.json'), 'utf8').indexOf('"rows": 2000') + 9,
        ),
      /manifest is damaged: its seal/,
    ],
    [
      'one of another program',
      () => writeFileSync(file('manifest.json'), '{"version": "1.0"}'),
      /not one of this program/,
    ],
    [
      'of a newer format',
      () => writeFileSync(file('manifest.json'), '{"format": 3}'),
      /has format 3, and this program knows formats up to 2/,
    ],
    [
      'of another shape',
      () => forgeManifest(set.dir, (manifest) => ({ ...manifest, tables: 3 as never })),
      /not well formed in tables/,
    ],
    [
      'of another database',
      () => forgeManifest(set.dir, (manifest) => ({ ...manifest, database: 'other' })),
      /is of the database other, not of/,
    ],
    [
      'never proven',
      () => forgeManifest(set.dir, (manifest) => ({ ...manifest, proof: null })),
      /was never proven/,
    ],
  ];
  for (const [what, damage, message] of cases) {
    test(`a set that is ${what}`, async () => {
      damage();

      await assert.rejects(restore(address, database, set), (error) => {
        assert.ok(isDeployError(error, 'BACKUP_SET_INVALID'));
        assert.match(error.message, message);
        return true;
      });

      assert.deepEqual(await contentsOf(address, database), live);
      assert.deepEqual(await leftoverSchemas(address, database), []);
    });
  }

  test('a set in a renamed folder', async () => {
    const renamed = join(dir, 'copies', 'backup_20200101_000000');
    renameSync(set.dir, renamed);

    await assert.rejects(restore(address, database, { ...set, dir: renamed }), (error) => {
      assert.ok(isDeployError(error, 'BACKUP_SET_INVALID'));
      assert.match(error.message, /lies in a renamed folder/);
      return true;
    });
  });

  test('a good set is verified without a word', async () => {
    assert.equal((await verifySet(set.dir)).manifest.tables[0]?.rows, 2000);
  });

  test('the list shows a damaged set with the reason, and the good one beside it', async () => {
    cpSync(set.dir, join(dir, 'copies', 'backup_20200101_000000'), { recursive: true });

    const listed = await listSets(join(dir, 'copies'));

    assert.deepEqual(
      listed.map(({ name, problem }) => [name, problem]),
      [
        [good.name, null],
        ['backup_20200101_000000', `the set ${good.name} lies in a renamed folder`],
      ],
    );
  });
});
