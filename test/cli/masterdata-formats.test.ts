/** Exports of every former format, imported as people do it: the same rows in the database afterwards. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { readEntities } from '../../src/masterdata/entities.ts';
import { exportMasterdata } from '../../src/masterdata/export.ts';
import { readMasterdata } from '../../src/masterdata/read.ts';
import { inTwo, lacking, shapes, writeShape } from '../support/bamort/former.ts';
import { migrationsDir } from '../support/bamort/migrate.ts';
import { makeSite } from '../support/deploy.ts';
import { makeDir, masterdataDir } from '../support/masterdata.ts';
import { startTestServer } from '../support/server.ts';

const server = await startTestServer({ after });
const admin = { ADMIN_USER: 'meister', ADMIN_EMAIL: 'm@example.org', ADMIN_PASSWORD: 'geheim77' };
const rules = { ...admin, MASTERDATA: 'changed', MASTERDATA_DIR: masterdataDir };
const entities = await readEntities(masterdataDir);

const site = await makeSite({ after }, server, {}, { migrationsDir });
const installed = await site.deploy(['up'], rules);
assert.equal(installed.code, 0, installed.stderr);
const db = await site.connect();

/** Imports into a database without rules, and gives the rows that it has then, by file. */
async function importInto(t: { after(fn: () => Promise<void>): void }, input: string) {
  await db.run('SET foreign_key_checks = 0');
  for (const { table } of entities.entities) await db.run(`DELETE FROM \`${table}\``);
  await db.run('SET foreign_key_checks = 1');
  const ended = await site.deploy(['masterdata', 'import', '--input', input, '--json'], rules);
  assert.equal(ended.code, 0, ended.stderr);
  const dir = await makeDir(t);
  const about = { backendVersion: '', dbVersion: '', timestamp: '', gameSystem: '' };
  await exportMasterdata(db, entities, dir, about);
  const set = await readMasterdata(dir, entities);
  const rows = new Map<string, unknown[]>();
  for (const one of set.data) {
    const values = (await Array.fromAsync(one.rows())).flat().map(({ value }) => value);
    rows.set(one.entity.file, values);
  }
  return { report: JSON.parse(ended.stdout), log: ended.stderr, rows };
}

describe('masterdata import of a former format', () => {
  test('1.0 to 1.5 give the same rows, and report and log say what was converted', async (t) => {
    const newest = path.join(await makeDir(t), 'newest');
    await writeShape('1.5', newest);
    const { rows: expected } = await importInto(t, newest);
    for (const [file, rows] of Object.entries(inTwo)) {
      assert.equal(expected.get(file)?.length, rows.length, file);
    }

    for (const shape of shapes) {
      const dir = path.join(await makeDir(t), 'former');
      await writeShape(shape, dir);
      const { report, log, rows } = await importInto(t, dir);

      assert.equal(report.masterdata_conversion.from, shape);
      assert.equal(report.masterdata_conversion.steps.at(-1), '1.5 → 2.0');
      assert.match(log, new RegExp(`converted from format ${shape.replace('.', '\\.')} `));
      for (const [file, wanted] of expected) {
        const had = lacking[shape].includes(file) ? [] : wanted;
        assert.deepEqual(rows.get(file), had, `${shape} ${file}`);
      }
    }
  });
});
