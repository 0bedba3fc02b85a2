/** `deploy masterdata …` as people run it: the preview and the import say and do the same. */
import assert from 'node:assert/strict';
import { cp, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { migrationsDir } from '../support/bamort/migrate.ts';
import { makeSite, type Site } from '../support/deploy.ts';
import { makeDir, masterdataDir, writeChanged } from '../support/masterdata.ts';
import { takePicture } from '../support/picture.ts';
import { startTestServer } from '../support/server.ts';

const server = await startTestServer({ after });
const admin = { ADMIN_USER: 'meister', ADMIN_EMAIL: 'm@example.org', ADMIN_PASSWORD: 'geheim77' };

const site = await installed();

async function installed(): Promise<Site> {
  const made = await makeSite({ after }, server, {}, { migrationsDir });
  const env = { ...admin, MASTERDATA: 'changed', MASTERDATA_DIR: masterdataDir };
  const ended = await made.deploy(['up'], env);
  assert.equal(ended.code, 0, ended.stderr);
  return made;
}

describe('masterdata import', () => {
  test('with --dry-run says what it would do, and then does just that', async (t) => {
    const db = await site.connect();
    const input = await makeDir(t);
    await writeChanged(input, (files) => {
      files['spells']![0]!['level'] = 9;
      files['believes']!.push({ ...files['believes']![0]!, name: 'Neuer Glaube' });
    });
    const env = { ...admin, MASTERDATA_DIR: masterdataDir };
    const args = ['masterdata', 'import', '--input', input];
    const before = await takePicture(db, site.database);

    const preview = await site.deploy([...args, '--dry-run'], env);
    assert.equal(preview.code, 30, preview.stderr);
    assert.match(preview.stdout, /^1 spells changed, 0 new, 0 deleted; 4 unchanged$/m);
    assert.match(preview.stdout, /^ {6}level {2}2 → 9$/m);
    assert.match(preview.stdout, /^ {2}\+ Neuer Glaube, midgard$/m);
    assert.match(preview.stdout, /nothing has been changed\n$/);
    assert.deepEqual(await takePicture(db, site.database), before);

    const done = await site.deploy(args, env);
    assert.equal(done.code, 0, done.stderr);
    assert.deepEqual(await db.query('SELECT stufe FROM gsm_spells ORDER BY id LIMIT 1'), [
      { stufe: '9' },
    ]);
    const again = await site.deploy([...args, '--dry-run'], env);
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stdout, /^nothing differs: /m);
  });

  test('keeps what production had of each changed row, and says where', async () => {
    const db = await site.connect();
    await db.run("UPDATE gsm_spells SET beschreibung = CONCAT('von Hand ', id)");
    const had = await db.query('SELECT CAST(id AS char) AS id, beschreibung FROM gsm_spells');
    const env = { ...admin, MASTERDATA_DIR: masterdataDir };

    const ended = await site.deploy(['masterdata', 'import', '--input', masterdataDir], env);

    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stdout, /^ {2}rows {6}5 spells changed, 0 new, 0 deleted; 0 unchanged$/m);
    const name = /^ {2}before {4}(masterdata_\S+\.jsonl) has what these rows were$/m.exec(
      ended.stdout,
    );
    assert.ok(name !== null, ended.stdout);
    const text = await readFile(path.join(site.reportDir, name[1]!), 'utf8');
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      lines.map(({ entity, id, fields }) => [entity, id, fields.beschreibung.old]),
      had.map(({ id, beschreibung }) => ['spells', id, beschreibung]),
    );
    const again = await site.deploy(
      ['masterdata', 'import', '--input', masterdataDir, '--json'],
      env,
    );
    assert.equal(JSON.parse(again.stdout)['masterdata_changes'], null);
  });

  test('with --dry-run finds the same mistakes as without', async (t) => {
    const input = await makeDir(t);
    await writeChanged(input, (files) => {
      files['spells']![0]!['level'] = 'neun';
    });

    const ended = await site.deploy(['masterdata', 'import', '--dry-run', '--input', input], {
      ...admin,
      MASTERDATA_DIR: masterdataDir,
    });

    assert.equal(ended.code, 15);
    assert.match(ended.stderr, /spells\.json data\[0\] \(Leise Sohlen, midgard\)/);
  });
});

describe('masterdata export', () => {
  test('refuses a SOURCE_DATE_EPOCH that is no number, and passes over an empty one', async (t) => {
    const output = await makeDir(t);
    const run = (epoch: string) =>
      site.deploy(['masterdata', 'export', '--output', output], {
        ...{ ...admin, MASTERDATA_DIR: masterdataDir, SOURCE_DATE_EPOCH: epoch },
      });

    const refused = await run('abc');
    assert.equal(refused.code, 10, refused.stderr);
    assert.match(refused.stderr, /CONFIG_INVALID/);
    const begun = new Date().toISOString();
    assert.equal((await run('')).code, 0);
    const { timestamp } = JSON.parse(await readFile(path.join(output, 'metadata.json'), 'utf8'));
    assert.ok(timestamp >= begun, timestamp);
  });

  test('of an import of an export has the same files, byte by byte', async (t) => {
    const [first, second] = [await makeDir(t), await makeDir(t)];
    const env = { ...admin, MASTERDATA_DIR: masterdataDir, SOURCE_DATE_EPOCH: '1768557000' };
    assert.equal((await site.deploy(['masterdata', 'export', '--output', first], env)).code, 0);
    const fresh = await makeSite(t, server, {}, { migrationsDir });
    const folder = await makeDir(t);
    await cp(masterdataDir, folder, { recursive: true });
    await cp(first, folder, { recursive: true });
    const up = await fresh.deploy(['up'], {
      ...env,
      MASTERDATA: 'changed',
      MASTERDATA_DIR: folder,
    });
    assert.equal(up.code, 0, up.stderr);

    const ended = await fresh.deploy(['masterdata', 'export', '--output', second], env);

    assert.equal(ended.code, 0, ended.stderr);
    const { files } = JSON.parse(await readFile(path.join(first, 'metadata.json'), 'utf8')) as {
      files: Record<string, unknown>;
    };
    assert.ok(Object.keys(files).length > 20);
    for (const name of ['metadata.json', ...Object.keys(files)]) {
      const [a, b] = [first, second].map((dir) => readFile(path.join(dir, name)));
      assert.ok((await a!).equals(await b!), name);
    }
  });
});
