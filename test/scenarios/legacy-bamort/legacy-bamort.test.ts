/** A legacy Bamort database (0.3.0, without any history) is adopted and walked to 0.5.0. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { compareSchemas } from '../../../src/schema/compare.ts';
import { fingerprintSchema } from '../../../src/schema/fingerprint.ts';
import { readSchema } from '../../../src/schema/read.ts';
import { legacySite, stepwise } from '../../support/bamort/legacy.ts';
import {
  migrationsDir,
  onlyColumns,
  readRows,
  runFile,
  runUpTo,
} from '../../support/bamort/migrate.ts';
import { addDumpVersionRow, fillVersion040 } from '../../support/bamort/rows.ts';
import { renamedTables } from '../../support/bamort/version-040.ts';
import { makeSite } from '../../support/deploy.ts';
import type { Json } from '../../support/json.ts';
import { findLeftovers } from '../../support/picture.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });
describe('a legacy Bamort database with rows', () => {
  test('is walked to 0.5.0 with every row, equals schema.sql, and a second up does nothing', async (t) => {
    const { site, db, rows } = await legacySite(t, server, 40, 20_000);
    const refused = await site.deploy(['up']);
    assert.equal(refused.code, 13);
    assert.match(refused.stderr, /0\.3\.0 → 0\.4\.0 → 0\.5\.0/);

    const ended = await site.deploy(['up', '--json'], stepwise);

    assert.equal(ended.code, 0, ended.stderr);
    const report = JSON.parse(ended.stdout) as Json;
    assert.deepEqual(
      [report['database']['before'], report['database']['after']],
      ['0.3.0', '0.5.0'],
    );
    assert.equal(report['backups'].length, 2);
    const now = await readRows(db);
    for (const [table, before] of rows) {
      // Amounts move between columns, and conflicting ones into the audit log: the next test.
      if (['char_wealth', 'audit_log_entries'].includes(table)) continue;
      assert.deepEqual(
        onlyColumns(now.get(renamedTables.get(table) ?? table)!, before),
        before,
        table,
      );
    }
    const plain = await server.connect(await server.createDatabase());
    await runFile(plain, `${migrationsDir}/schema.sql`);
    const [{ name }] = (await plain.query<{ name: string }>('SELECT DATABASE() AS name')) as [
      { name: string },
    ];
    const [expected, actual] = [await readSchema(plain, name), await readSchema(db, site.database)];
    assert.deepEqual(compareSchemas(expected, actual), []);
    assert.deepEqual(
      [...fingerprintSchema(actual).keys()].sort(),
      [...fingerprintSchema(expected).keys()].sort(),
    );
    const again = await site.deploy(['up', '--json'], stepwise);
    assert.equal(again.code, 0);
    assert.equal((JSON.parse(again.stdout) as { outcome: string }).outcome, 'nothing_to_do');
    assert.deepEqual(await findLeftovers(db, site), []);
  });

  test('keeps every amount of money: moved where the new column was empty, in the audit log where both differ', async (t) => {
    const { site, db } = await legacySite(t, server, 60, 100);
    const before = await db.query<Record<string, number | string | null>>(
      'SELECT * FROM char_wealth',
    );

    assert.equal((await site.deploy(['up'], stepwise)).code, 0);

    const audit = await db.query<Json>(
      "SELECT * FROM audit_log_entries WHERE reason LIKE 'migration 0006%'",
    );
    let conflicts = 0;
    for (const row of before) {
      const [now] = await db.query<Record<string, number | string | null>>(
        `SELECT * FROM char_wealth WHERE id = ${row['id']}`,
      );
      for (const coin of ['gold', 'silber', 'kupfer']) {
        const [ascii, umlaut] = [row[`${coin}stuecke`] ?? null, row[`${coin}stücke`] ?? null];
        assert.equal(now![`${coin}stuecke`] ?? null, ascii ?? umlaut);
        if (ascii === null || umlaut === null || ascii === umlaut) continue;
        conflicts++;
        const kept = audit.some(
          (entry) =>
            String(entry['old_value']) === String(umlaut) &&
            String(entry['notes']).includes(`id=${row['id']}`),
        );
        assert.ok(kept, `the other amount of char_wealth ${row['id']} is in the audit log`);
      }
    }
    assert.ok(conflicts > 0, 'the rows have conflicts');
  });

  test('gets its master data at the end of the way: tables that are new on it may be empty until then', async (t) => {
    const { site, db } = await legacySite(t, server, 3, 100);
    const masterdataDir = path.resolve(migrationsDir, '../masterdata');

    const ended = await site.deploy(['up'], {
      ...stepwise,
      ...{ MASTERDATA: 'changed', MASTERDATA_DIR: masterdataDir },
    });

    assert.equal(ended.code, 0, ended.stderr);
    const [{ n }] = (await db.query('SELECT COUNT(*) AS n FROM gsm_misc')) as [{ n: number }];
    assert(n > 0, `gsm_misc has ${n} rows`);
  });

  test('with something that no version has lost is refused with a readable difference', async (t) => {
    const { site, db } = await legacySite(t, server, 3, 100);
    await db.run('ALTER TABLE char_chars DROP COLUMN rasse');

    const ended = await site.deploy(['up'], stepwise);

    assert.equal(ended.code, 13);
    assert.match(ended.stderr, /SCHEMA_UNKNOWN/);
    assert.match(ended.stderr, /char_chars.*rasse/);
  });

  test('of the shape of 0.4.0 with a hand-made version row and no history is adopted and brought to 0.5.0', async (t) => {
    const site = await makeSite(t, server, {}, { migrationsDir });
    const db = await site.connect();
    await runUpTo(db, '0.4.0');
    await fillVersion040(db, { characters: 8 });
    await db.run('TRUNCATE schema_version');
    await db.run('TRUNCATE migration_history');
    await addDumpVersionRow(db);
    await db.run(
      'ALTER TABLE char_chars ADD note_of_the_admin VARCHAR(10) NULL, ADD INDEX own (note_of_the_admin)',
    );
    const before = await readRows(db);

    const ended = await site.deploy(['up', '--json']);

    assert.equal(ended.code, 0, ended.stderr);
    const report = JSON.parse(ended.stdout) as Json;
    assert.deepEqual(
      [report['mode'], report['database']['before'], report['database']['after']],
      ['adopt', '0.4.0', '0.5.0'],
    );
    assert.match(report['warnings'].join(), /note_of_the_admin/);
    const now = await readRows(db);
    for (const [table, rows] of before) {
      if (['schema_version', 'migration_history'].includes(table)) continue;
      assert.deepEqual(onlyColumns(now.get(table)!, rows), rows, table);
    }
    // The real backend appends an old row whenever somebody opens its set-up page: it never counts.
    await db.run(
      "INSERT INTO schema_version (version, migration_number, applied_at, backend_version) VALUES ('0.1.37', 1, 20261122080725, '0.1.37')",
    );
    assert.equal((await site.deploy(['up'])).code, 0);
    assert.equal(
      (JSON.parse((await site.deploy(['status', '--json'])).stdout) as Json)['actual_db_version'],
      '0.5.0',
    );
  });
});
