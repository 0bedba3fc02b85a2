import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { compareContents } from '../../../src/backup/differences.ts';
import type { BackupSet } from '../../../src/backup/manifest.ts';
import { isDeployError } from '../../../src/errors/deploy-error.ts';
import { contentsOf, makeBackupDir, restore, take } from '../../support/backup/backups.ts';
import { forgeFile } from '../../support/backup/damage.ts';
import { fillWithTorture } from '../../support/backup/torture.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });
const { address } = server;

function linesOf({ dir, manifest }: BackupSet, table: string): string[] {
  const file = manifest.files.find((each) => each.table === table)!;
  const text = zstdDecompressSync(readFileSync(join(dir, file.name))).toString('utf8');
  return text.trimEnd().split('\n');
}

test('a JSON set of every kind of content is proven, and restores exactly', async (t) => {
  const database = await server.createDatabase();
  const db = await server.connect(database);
  await fillWithTorture(db);
  const old = await contentsOf(address, database);

  const set = await take(address, database, makeBackupDir(t), { format: 'json' });

  assert.ok(set.manifest.proof !== null);
  const rows = set.manifest.files.filter(({ kind }) => kind === 'rows');
  assert.ok(rows.length > 0 && rows.every(({ name }) => name.endsWith('.ndjson.zst')));
  for (const { table } of rows) for (const line of linesOf(set, table!)) JSON.parse(line);
  await db.run('SET foreign_key_checks = 0');
  await db.run('DROP TABLE child');
  await restore(address, database, set);
  assert.deepEqual(compareContents(old, await contentsOf(address, database)), []);
});

test('NULL, empty and the text NULL differ; what JSON would round is a string; bytes are hexadecimal', async (t) => {
  const database = await server.createDatabase();
  const db = await server.connect(database);
  await db.run(`CREATE TABLE v (id INT PRIMARY KEY, s VARCHAR(20), big BIGINT UNSIGNED, m DECIMAL(65,30),
    f FLOAT, d DOUBLE, dt DATETIME(6), b VARBINARY(9), j JSON, \`9\` TINYINT, e ENUM('','x'))`);
  await db.run(`INSERT INTO v VALUES
    (1, NULL, 18446744073709551615, 0.000000000000000000000000000001, 3.4028234e38, 1e308, '9999-12-31 23:59:59.999999', x'00ff0a', '{"a": 1}', 0, 'x'),
    (2, '', 0, 0, 0, -2.5e-300, NULL, '', 'null', NULL, ''),
    (3, 'null', NULL, NULL, NULL, NULL, NULL, NULL, NULL, -1, NULL),
    (4, 'ä "😀"\\n\\\\', 9007199254740993, -1, 1.5, 0.1, '2024-02-29 00:00:00', 'a', '[]', 1, 'x')`);

  const set = await take(address, database, makeBackupDir(t), { format: 'json' });

  const lines = linesOf(set, 'v');
  assert.equal(
    lines[0],
    '{"id":1,"s":null,"big":"18446744073709551615","m":"0.000000000000000000000000000001",' +
      '"f":3.4028234663852886e+38,"d":1e+308,"dt":"9999-12-31 23:59:59.999999",' +
      '"b":{"hex":"00ff0a"},"j":"{\\"a\\": 1}","9":0,"e":2}',
  );
  assert.match(lines[1]!, /"s":"","big":"0"|"s":"","big":0/);
  assert.match(lines[2]!, /"s":"null"/);
  assert.match(lines[3]!, /"big":"9007199254740993"/);
});

test('a line that is cut off, or lacks a column: refused in the staging, nothing is changed', async (t) => {
  const database = await server.createDatabase();
  const db = await server.connect(database);
  await db.run('CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(20))');
  await db.run("INSERT INTO t VALUES (1, 'a'), (2, 'b')");
  const live = await contentsOf(address, database);
  for (const edit of [
    (text: string) => text.slice(0, -5),
    (text: string) => text.replace('"s":"b"', '"other":"b"'),
    (text: string) => text.replace('"b"', '"c"'),
  ]) {
    const set = await take(address, database, makeBackupDir(t), { format: 'json' });
    await forgeFile(set.dir, set.manifest.files.find(({ kind }) => kind === 'rows')!.name, edit);

    await assert.rejects(restore(address, database, set), (error) =>
      isDeployError(error, 'RESTORE_FAILED'),
    );
    assert.deepEqual(compareContents(live, await contentsOf(address, database)), []);
  }
});
