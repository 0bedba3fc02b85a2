import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { migrationsDir } from '../../support/bamort/migrate.ts';
import { makeSite, type Site } from '../../support/deploy.ts';
import type { Json } from '../../support/json.ts';
import { takePicture } from '../../support/picture.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });
const admin = { ADMIN_USER: 'M', ADMIN_EMAIL: 'admin@example.org', ADMIN_PASSWORD: 'Zauberwort-1' };
const rules = {
  MASTERDATA: 'changed',
  MASTERDATA_DIR: path.resolve(migrationsDir, '../masterdata'),
};

async function installed(t: { after(fn: () => Promise<void>): void }): Promise<Site> {
  const site = await makeSite(t, server, {}, { migrationsDir });
  const ended = await site.deploy(['up'], { ...rules, ...admin });
  assert.equal(ended.code, 0, ended.stderr);
  return site;
}

describe('a deployment package', () => {
  test('carries changed rules from one database to another', async (t) => {
    const [from, to] = [await installed(t), await installed(t)];
    const [source, target] = [await from.connect(), await to.connect()];
    await source.run("UPDATE gsm_spells SET ap = '33' ORDER BY name LIMIT 1");
    const file = path.join(from.dir, 'deployment_package_0.5.0.tar.gz');

    const prepared = await from.deploy(['prepare', '--output', file], rules);
    assert.equal(prepared.code, 0, prepared.stderr);
    const ended = await to.deploy(['up', '--package', file, '--json'], rules);

    assert.equal(ended.code, 0, ended.stderr);
    const spells = (JSON.parse(ended.stdout) as Json)['masterdata'].entities.find(
      (each: Json) => each['entity'] === 'spells',
    );
    assert.equal(spells.updated, 1);
    assert.equal((await target.query("SELECT 1 FROM gsm_spells WHERE ap = '33'")).length, 1);
    assert.equal(
      (JSON.parse((await to.deploy(['up', '--package', file, '--json'], rules)).stdout) as Json)[
        'outcome'
      ],
      'nothing_to_do',
    );
  });

  test('that is damaged, or for another version, is refused: exit 15, nothing changed', async (t) => {
    const site = await installed(t);
    const db = await site.connect();
    const before = await takePicture(db, site.database);
    const file = path.join(site.dir, 'package.tar.gz');
    assert.equal((await site.deploy(['prepare', '--output', file], rules)).code, 0);
    const bytes = await readFile(file);
    bytes[bytes.length >> 1]! ^= 1;
    const damaged = path.join(site.dir, 'damaged.tar.gz');
    await writeFile(damaged, bytes);

    const broken = await site.deploy(['up', '--package', damaged], rules);
    const other = await site.deploy(['up', '--package', file], {
      ...rules,
      REQUIRED_DB_VERSION: '0.4.0',
    });

    assert.equal(broken.code, 15, broken.stderr);
    assert.match(broken.stderr, /BUNDLE_INVALID/);
    assert.equal(other.code, 15, other.stderr);
    assert.deepEqual(await takePicture(db, site.database), before);
  });

  test('bad master data is refused before anything is changed: exit 15', async (t) => {
    const site = await installed(t);
    const db = await site.connect();
    const dir = path.join(site.dir, 'rules');
    assert.equal((await site.deploy(['masterdata', 'export', '--output', dir], rules)).code, 0);
    const before = await takePicture(db, site.database);
    // A name that the column cannot hold, in a file that is otherwise whole: its hash is right.
    const spells = path.join(dir, 'spells.json');
    const text = (await readFile(spells, 'utf8')).replace(
      /"name": "[^"]+"/,
      `"name": "${'x'.repeat(300)}"`,
    );
    await writeFile(spells, text);
    const metadata = JSON.parse(await readFile(path.join(dir, 'metadata.json'), 'utf8')) as Json;
    metadata['files']['spells.json'].sha256 = createHash('sha256').update(text).digest('hex');
    await writeFile(path.join(dir, 'metadata.json'), JSON.stringify(metadata));

    const ended = await site.deploy(['masterdata', 'import', '--input', dir], rules);

    assert.equal(ended.code, 15, ended.stderr);
    assert.match(ended.stderr, /MASTERDATA_INVALID/);
    assert.match(ended.stderr, /spells\.json/);
    assert.deepEqual(await takePicture(db, site.database), before);
  });
});

describe('deploy masterdata', () => {
  test('export, diff and import carry a change, and the second import has nothing to change', async (t) => {
    const [from, to] = [await installed(t), await installed(t)];
    await (await from.connect()).run("UPDATE gsm_spells SET ap = '77' ORDER BY name LIMIT 1");
    const target = await to.connect();
    const dir = path.join(from.dir, 'rules');
    assert.equal((await from.deploy(['masterdata', 'export', '--output', dir], rules)).code, 0);

    const diff = await to.deploy(['masterdata', 'diff', '--input', dir], rules);
    const imported = await to.deploy(['masterdata', 'import', '--input', dir, '--json'], rules);

    assert.equal(diff.code, 0, diff.stderr);
    assert.match(diff.stdout, /^1 spells changed, 0 new, 0 deleted; 4 unchanged/m);
    assert.equal(imported.code, 0, imported.stderr);
    assert.equal((JSON.parse(imported.stdout) as Json)['backup'].proven, true);
    assert.equal((await target.query("SELECT 1 FROM gsm_spells WHERE ap = '77'")).length, 1);
    const again = await to.deploy(['masterdata', 'diff', '--input', dir], rules);
    assert.match(again.stdout, /^nothing differs: 136 rows/m);
  });
});

describe('validation', () => {
  test('an error that the run caused is put back: exit 20; one that was there before is only reported', async (t) => {
    const site = await installed(t);
    const db = await site.connect();
    const copy = path.join(site.dir, 'migrations');
    const { cp } = await import('node:fs/promises');
    await cp(migrationsDir, copy, { recursive: true });
    await writeFile(
      path.join(copy, '0.5.0/0012_orphans.up.sql'),
      "SET foreign_key_checks = 0;\nINSERT INTO char_bennies (name, character_id) VALUES ('x', 4711);\n",
    );
    const before = await takePicture(db, site.database);

    const ended = await site.deploy(['up'], { ...rules, MIGRATIONS_DIR: copy });

    assert.equal(ended.code, 20, ended.stderr);
    assert.match(ended.stderr, /VALIDATION_FAILED/);
    assert.deepEqual(await takePicture(db, site.database), before);
    await db.run('SET foreign_key_checks = 0');
    await db.run("INSERT INTO char_bennies (name, character_id) VALUES ('x', 4711)");
    assert.equal((await site.deploy(['validate'], rules)).code, 15);
    await writeFile(
      path.join(copy, '0.5.0/0012_orphans.up.sql'),
      'ALTER TABLE char_bennies ADD extra INT NULL;\n',
    );
    const allowed = await site.deploy(['up'], { ...rules, MIGRATIONS_DIR: copy });
    assert.equal(allowed.code, 0, allowed.stderr);
  });

  test('the safety net adds a column that somebody dropped, and says so', async (t) => {
    const site = await installed(t);
    const db = await site.connect();
    await db.run('ALTER TABLE char_chars DROP COLUMN rasse');
    const copy = path.join(site.dir, 'migrations');
    const { cp } = await import('node:fs/promises');
    await cp(migrationsDir, copy, { recursive: true });
    await writeFile(
      path.join(copy, '0.5.0/0012_more.up.sql'),
      'ALTER TABLE char_bennies ADD extra INT NULL;\n',
    );

    const ended = await site.deploy(['up', '--json'], { ...rules, MIGRATIONS_DIR: copy });

    assert.equal(ended.code, 0, ended.stderr);
    assert.match((JSON.parse(ended.stdout) as Json)['warnings'].join(), /safety net added.*rasse/);
    assert.equal((await db.query("SHOW COLUMNS FROM char_chars LIKE 'rasse'")).length, 1);
  });
});
