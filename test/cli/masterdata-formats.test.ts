/** Exports of every former format, imported as people do it: the same rows in the database afterwards. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { readEntities } from '../../src/masterdata/entities.ts';
import { exportMasterdata } from '../../src/masterdata/export.ts';
import { readMasterdata } from '../../src/masterdata/read.ts';
import {
  asGo,
  inTwo,
  lacking,
  members,
  quelleOf,
  shapes,
  single,
  writeShape,
} from '../support/bamort/former.ts';
import { migrationsDir } from '../support/bamort/migrate.ts';
import { makeSite } from '../support/deploy.ts';
import { type FileRow, makeDir, masterdataDir } from '../support/masterdata.ts';
import { type Cleanup, startTestServer } from '../support/server.ts';

type Rows = ReadonlyMap<string, readonly FileRow[]>;

const server = await startTestServer({ after });
const admin = { ADMIN_USER: 'meister', ADMIN_EMAIL: 'm@example.org', ADMIN_PASSWORD: 'geheim77' };
const rules = { ...admin, MASTERDATA: 'changed', MASTERDATA_DIR: masterdataDir };
const entities = await readEntities(masterdataDir);
/** The eight lists that the single file of format 0 has. */
const listsOfZero = Object.values(members);

const site = await makeSite({ after }, server, {}, { migrationsDir });
const installed = await site.deploy(['up'], rules);
assert.equal(installed.code, 0, installed.stderr);
const db = await site.connect();

async function removeRules(): Promise<void> {
  await db.run('SET foreign_key_checks = 0');
  for (const { table } of entities.entities) await db.run(`DELETE FROM \`${table}\``);
  await db.run('SET foreign_key_checks = 1');
}

async function importInto(input: string) {
  const ended = await site.deploy(['masterdata', 'import', '--input', input, '--json'], rules);
  assert.equal(ended.code, 0, ended.stderr);
  return { report: JSON.parse(ended.stdout), log: ended.stderr };
}

/** What an export of the database has, by file. */
async function readRows(t: Cleanup): Promise<Rows> {
  const dir = await makeDir(t);
  const about = { backendVersion: '', dbVersion: '', timestamp: '', gameSystem: '' };
  await exportMasterdata(db, entities, dir, about);
  const set = await readMasterdata(dir, entities);
  const rows = new Map<string, FileRow[]>();
  for (const one of set.data) {
    const values = (await Array.fromAsync(one.rows())).flat().map(({ value }) => value);
    rows.set(one.entity.file, values as FileRow[]);
  }
  return rows;
}

async function writeSingle(t: Cleanup): Promise<string> {
  const file = path.join(await makeDir(t), 'export.json');
  await writeFile(file, asGo(single));
  return file;
}

/** What format 0 makes of a row that 1.5 made: it has a text about the source instead of its code. */
function inZero(row: FileRow): FileRow {
  return { ...row, quelle: quelleOf(row) };
}

/** The newest shape, without the lists that format 0 has and what hangs on their rows. */
async function writeRest(dir: string): Promise<void> {
  await writeShape('1.5', dir);
  const hanging = ['skill_category_difficulties.json', 'weaponskill_category_difficulties.json'];
  hanging.push('class_typical_skills.json', 'class_typical_spells.json');
  for (const file of [...listsOfZero, ...hanging]) await writeFile(path.join(dir, file), 'null');
}

describe('masterdata import of a former format', () => {
  // The first one: what the installation made is still there.
  test('0 into a fresh installation: its rows are there, all others are the shipped ones', async (t) => {
    const shipped = await readRows(t);

    await importInto(await writeSingle(t));

    const rows = await readRows(t);
    for (const [file, had] of shipped) {
      const own = listsOfZero.includes(file) ? inTwo[file]! : [];
      const found = rows.get(file)!;
      const others = (list: readonly FileRow[]) =>
        list.filter(({ name }) => !own.some((row) => row['name'] === name));
      assert.deepEqual(others(found), others(had), file);
      for (const { source_code: _, ...row } of own.map(inZero)) {
        const same = found.find(({ name }) => name === row['name']);
        assert.deepEqual({ ...same, ...row }, same, file);
      }
    }
  });

  test('1.0 to 1.5 give the same rows, and report and log say what was converted', async (t) => {
    await removeRules();
    const newest = path.join(await makeDir(t), 'newest');
    await writeShape('1.5', newest);
    assert.match(await readFile(path.join(newest, 'skills.json'), 'utf8'), /Schiﬀe.*a \\u0026 b/s);
    assert.equal(await readFile(path.join(newest, 'transportation.json'), 'utf8'), 'null');
    await importInto(newest);
    const expected = await readRows(t);
    for (const [file, rows] of Object.entries(inTwo)) {
      const found = expected.get(file)!;
      assert.equal(found.length, rows.length, file);
      for (const row of rows) {
        const same = found.filter((one) =>
          Object.entries(row).every(([name, value]) => one[name] === value),
        );
        assert.equal(same.length, 1, `${file}: ${JSON.stringify(row)}`);
      }
    }

    for (const shape of shapes) {
      await removeRules();
      const dir = path.join(await makeDir(t), 'former');
      await writeShape(shape, dir);
      const { report, log } = await importInto(dir);
      const rows = await readRows(t);

      assert.equal(report.masterdata_conversion.from, shape);
      assert.equal(report.masterdata_conversion.steps.at(-1), '1.5 → 2.0');
      assert.match(log, new RegExp(`converted from format ${shape.replace('.', '\\.')} `));
      for (const [file, wanted] of expected) {
        const had = lacking[shape].includes(file) ? [] : wanted;
        assert.deepEqual(rows.get(file), had, `${shape} ${file}`);
      }
    }
  });

  test('0 gives the same rows where the lists are that it does not have, but for the sources', async (t) => {
    await removeRules();
    const newest = path.join(await makeDir(t), 'newest');
    await writeShape('1.5', newest);
    await importInto(newest);
    const expected = await readRows(t);
    await removeRules();
    const rest = path.join(await makeDir(t), 'rest');
    await writeRest(rest);
    await importInto(rest);
    const without = await readRows(t);

    const { report, log } = await importInto(await writeSingle(t));

    assert.equal(report.masterdata_conversion.from, '0');
    assert.match(log, /converted from format 0 /);
    assert.match(log, /transportations: 1 of its rows are containers/);
    const rows = await readRows(t);
    for (const { file } of entities.entities) {
      const wanted = listsOfZero.includes(file)
        ? expected.get(file)!.map((row) => ({ ...inZero(row), source_code: '' }))
        : without.get(file);
      assert.deepEqual(rows.get(file), wanted, file);
    }
  });

  test('0 over the same rows leaves their ids, their sources by code, and all other rows', async (t) => {
    await removeRules();
    const newest = path.join(await makeDir(t), 'newest');
    await writeShape('1.5', newest);
    await importInto(newest);
    const before = await readRows(t);
    const ids = await db.query('SELECT id, name FROM gsm_skills ORDER BY id');

    await importInto(await writeSingle(t));

    const rows = await readRows(t);
    for (const [file, had] of before) {
      assert.deepEqual(rows.get(file), listsOfZero.includes(file) ? had.map(inZero) : had, file);
    }
    assert.deepEqual(await db.query('SELECT id, name FROM gsm_skills ORDER BY id'), ids);
  });

  test('0 without the categories and schools that it names is refused with each, and nothing is written', async (t) => {
    await removeRules();
    const file = await writeSingle(t);

    const { code, stderr } = await site.deploy(['masterdata', 'import', '--input', file], rules);

    assert.equal(code, 15, stderr);
    assert.match(stderr, /skills\.json.*Schiﬀe lenken.*no row of skill_categories is Handwerk/);
    assert.match(stderr, /skills\.json.*Boote flicken.*no row of skill_difficulties is schwer/);
    assert.match(stderr, /weapon_skills\.json.*Bootshaken.*no row of skill_categories/);
    assert.match(stderr, /spells\.json.*Leise Sohlen.*no row of spell_schools is Klang/);
    const rows = [...(await readRows(t)).values()].flat();
    assert.deepEqual(rows, []);
  });
});
