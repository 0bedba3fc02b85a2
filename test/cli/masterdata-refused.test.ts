/** Master data that cannot be synced is refused in the plan: before lock, fence and backup. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { writePackage } from '../../src/bundle/write-package.ts';
import { migrationsDir } from '../support/bamort/migrate.ts';
import { type Ended, makeSite, type Site } from '../support/deploy.ts';
import { type Files, makeDir, masterdataDir, writeChanged } from '../support/masterdata.ts';
import { takePicture } from '../support/picture.ts';
import { type Cleanup, startTestServer } from '../support/server.ts';

const server = await startTestServer({ after });
const admin = { ADMIN_USER: 'meister', ADMIN_EMAIL: 'm@example.org', ADMIN_PASSWORD: 'geheim77' };
const rules = { ...admin, MASTERDATA: 'changed', MASTERDATA_DIR: masterdataDir };

// What is refused changes nothing: several tests look at one.
const shared = await installed({ after });

async function installed(t: Cleanup): Promise<Site> {
  const site = await makeSite(t, server, {}, { migrationsDir });
  const ended = await site.deploy(['up'], rules);
  assert.equal(ended.code, 0, ended.stderr);
  return site;
}

/** A package of the shipped rows with a change. */
async function makePackage(t: Cleanup, change: (files: Files) => void): Promise<string> {
  const dir = await makeDir(t);
  await writeChanged(dir, change);
  await rm(path.join(dir, 'entities.schema.json'));
  const output = path.join(await makeDir(t), 'package.tar.gz');
  const createdAt = new Date(0);
  const about = { version: '0.5.0', toolVersion: '1', createdAt };
  await writePackage({ masterdataDir: dir, ...about, output });
  return output;
}

const unknownSource = (files: Files) => {
  files['equipment']![0]!['source_code'] = 'XYZ';
};

/** Bamort's migrations and one more. */
async function withMigration(t: Cleanup, text: string): Promise<Record<string, string>> {
  const copy = path.join(await makeDir(t), 'migrations');
  await cp(migrationsDir, copy, { recursive: true });
  await writeFile(path.join(copy, '0.5.0/0012_more.up.sql'), text);
  return { ...rules, MIGRATIONS_DIR: copy };
}

describe('up with master data that the database cannot take', () => {
  const cases: readonly [string, (files: Files) => void, RegExp][] = [
    ['an unknown reference', unknownSource, /source_code: no row of sources is XYZ/],
    [
      'a value of no other entity',
      (files) => {
        files['spells']![0]!['category'] = 'Schatten';
      },
      /category: no row of spell_schools is Schatten/,
    ],
    [
      'a unique value that a row of the database has',
      (files) => {
        const [first] = files['sources']!;
        files['sources']!.push({ ...first, code: 'NEU', name: 'Reisen an der Küste' });
        files['sources'] = files['sources']!.filter(({ code }) => code !== 'RDK');
      },
      /name: must be unique, and the row with id 3 has the same/,
    ],
  ];
  for (const [what, change, expected] of cases) {
    test(`is refused without a backup for ${what}: exit 15`, async (t) => {
      const package_ = await makePackage(t, change);

      await refusedAsBefore(shared, expected, () =>
        shared.deploy(['up', '--package', package_, '--json'], rules),
      );
    });
  }

  test('is refused for a key that two rows of the database have', async (t) => {
    const site = await installed(t);
    const db = await site.connect();
    await db.run(
      'INSERT INTO gsm_believes (name, game_system, game_system_id) SELECT name, game_system, game_system_id FROM gsm_believes ORDER BY id LIMIT 1',
    );
    const package_ = await makePackage(t, (files) => {
      files['believes']![0]!['beschreibung'] = 'neu';
    });

    await refusedAsBefore(site, /gsm_believes has this key in the rows with id/, () =>
      site.deploy(['up', '--package', package_], rules),
    );
  });

  test('is refused, too, beside a migration that leaves the tables of the rows alone', async (t) => {
    const env = await withMigration(t, 'ALTER TABLE char_bennies ADD extra INT NULL;\n');
    const package_ = await makePackage(t, unknownSource);

    await refusedAsBefore(shared, /source_code: no row of sources is XYZ/, () =>
      shared.deploy(['up', '--package', package_], env),
    );
  });

  test('is refused before an installation', async (t) => {
    const site = await makeSite(t, server, {}, { migrationsDir });
    const package_ = await makePackage(t, unknownSource);

    await refusedAsBefore(site, /source_code: no row of sources is XYZ/, () =>
      site.deploy(['up', '--package', package_], rules),
    );
  });
});

describe('an export that no import would take', () => {
  test('is not packed by prepare (exit 15), and written with a warning', async (t) => {
    const site = await installed(t);
    const db = await site.connect();
    await db.run(
      "INSERT INTO gsm_believes (name, game_system, game_system_id) VALUES ('', 'midgard', 1), ('', 'midgard', 1)",
    );
    const [file, dir] = [path.join(site.dir, 'package.tar.gz'), path.join(site.dir, 'rules')];
    const twice = /the same key is at 0, 1 of the file|has this key in the rows with id/;

    const prepared = await site.deploy(['prepare', '--output', file], rules);
    const exported = await site.deploy(['masterdata', 'export', '--output', dir], rules);

    assert.equal(prepared.code, 15, prepared.stderr);
    assert.match(prepared.stderr, /MASTERDATA_INVALID/);
    assert.match(prepared.stderr, twice);
    assert.equal(existsSync(file), false);
    assert.equal(exported.code, 0, exported.stderr);
    assert.match(exported.stdout, /^no import would take this export: /m);
    assert.match(exported.stdout, twice);
    assert.ok(existsSync(path.join(dir, 'metadata.json')));
  });
});

describe('up with master data that only a pending migration makes possible', () => {
  test('is carried out', async (t) => {
    const site = await installed(t);
    const env = await withMigration(
      t,
      "INSERT INTO gsm_lit_sources (code, name, game_system, game_system_id) VALUES ('XYZ', 'Neu', 'midgard', 1);\n",
    );
    const package_ = await makePackage(t, unknownSource);

    const ended = await site.deploy(['up', '--package', package_], env);

    assert.equal(ended.code, 0, ended.stderr);
  });
});

async function refusedAsBefore(
  site: Site,
  expected: RegExp,
  run: () => Promise<Ended>,
): Promise<void> {
  const db = await site.connect();
  const [before, sets] = [await takePicture(db, site.database), await setsOf(site)];
  const runs = await runsOf(site);

  const ended = await run();

  assert.equal(ended.code, 15, ended.stderr);
  assert.match(ended.stderr, expected);
  assert.deepEqual(await setsOf(site), sets, 'no backup was taken');
  assert.deepEqual(await runsOf(site), runs, 'no run was begun');
  assert.deepEqual(await takePicture(db, site.database), before);
}

async function setsOf({ backupDir }: Site): Promise<string[]> {
  return (await readdir(backupDir).catch(() => [])).sort();
}

async function runsOf(site: Site): Promise<unknown[]> {
  const db = await site.connect();
  const tables = await db.query("SHOW TABLES LIKE 'deploy_run'");
  return tables.length === 0 ? [] : db.query('SELECT run_id FROM deploy_run ORDER BY run_id');
}
