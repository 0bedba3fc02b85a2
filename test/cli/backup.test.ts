import assert from 'node:assert/strict';
import { readdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, type TestContext, test } from 'node:test';
import { daysBefore, writeSet } from '../support/backup/sets.ts';
import { makeSite, type Site } from '../support/deploy.ts';
import type { Json } from '../support/json.ts';
import { findLeftovers, takePicture } from '../support/picture.ts';
import { startTestServer } from '../support/server.ts';
import { cities, citiesThatFail, openShop } from '../support/shop.ts';

const server = await startTestServer({ after });

// Made here, the first shop leaves its own sets in no test's folder.
await openShop(await makeSite({ after }, server));

const setsIn = (dir: string) => readdirSync(dir).sort();

/** Sets of that age in days, the oldest first. */
function writeOld(site: Site, ages: readonly number[], change = {}): string[] {
  const now = new Date();
  return ages.map((age, nth) =>
    writeSet(site.backupDir, {
      ...{ database: site.database, createdAt: daysBefore(now, age).toISOString() },
      ...{ sequence: nth + 1, schemaVersion: '0.1.0', ...change },
    }),
  );
}

async function oldShop(t: TestContext, ages: readonly number[]): Promise<[Site, string[]]> {
  const site = await makeSite(t, server);
  await openShop(site);
  return [site, writeOld(site, ages)];
}

describe('deploy up', () => {
  test('prunes old sets at its end, and its report names them', async (t) => {
    const [site, old] = await oldShop(t, [60, 50, 40, 35]);
    await site.write(cities);

    const ended = await site.deploy(['up', '--json']);

    assert.equal(ended.code, 0, ended.stderr);
    const report = JSON.parse(ended.stdout) as Json;
    assert.deepEqual(report['pruned'], old.slice(0, 2));
    const left = setsIn(site.backupDir);
    assert.deepEqual(
      left.filter((name) => old.includes(name)),
      old.slice(2),
    );
    assert.ok(left.includes(report['backup'].name));
  });

  test('that fails prunes nothing, and deploy backup prune then keeps everything as well', async (t) => {
    const [site, old] = await oldShop(t, [60, 50, 40, 35]);
    await site.write(citiesThatFail);

    assert.equal((await site.deploy(['up'])).code, 20);

    assert.equal(setsIn(site.backupDir).length, old.length + 1);
    const pruned = await site.deploy(['backup', 'prune', '--yes']);
    assert.equal(pruned.code, 0, pruned.stderr);
    assert.match(pruned.stdout, /nothing goes after a failure: run .* ended as put back/);
    assert.equal(setsIn(site.backupDir).length, old.length + 1);
  });

  test('that cannot remove a set succeeds with a warning', async (t) => {
    const [site, old] = await oldShop(t, [60, 50, 40, 35]);
    await site.write(cities);

    const ended = await site.deploy(['up', '--json'], { DEPLOY_FAIL_AT: 'prune.renamed=throw' });

    assert.equal(ended.code, 0, ended.stderr);
    const report = JSON.parse(ended.stdout) as Json;
    assert.match(String(report['warnings']), /old backup sets could not be removed/);
    assert.equal(setsIn(site.backupDir).filter((name) => old.includes(name)).length, 3);
  });
});

describe('deploy backup prune', () => {
  test('--dry-run says what would go and why the others stay, and removes nothing', async (t) => {
    const [site, old] = await oldShop(t, [60, 40, 3, 2, 1]);

    const ended = await site.deploy(['backup', 'prune', '--dry-run', '--json']);

    assert.equal(ended.code, 0, ended.stderr);
    const { sets, removed } = JSON.parse(ended.stdout) as Json;
    assert.deepEqual(removed, []);
    assert.deepEqual(
      sets.map((set: Json) => [set['name'], set['goes']]),
      old.toReversed().map((name, nth) => [name, nth > 2]),
    );
    assert.deepEqual(setsIn(site.backupDir), old);
    const text = (await site.deploy(['backup', 'prune', '--dry-run'])).stdout;
    assert.match(text, /goes\n/);
    assert.match(text, /stays: one of the newest 3, younger than 30 days/);
  });

  test('needs --yes where nobody can be asked: exit 13, nothing is removed', async (t) => {
    const [site, old] = await oldShop(t, [60, 40, 3, 2, 1]);

    const ended = await site.deploy(['backup', 'prune']);

    assert.equal(ended.code, 13);
    assert.match(ended.stderr, /NOT_CONFIRMED/);
    assert.deepEqual(setsIn(site.backupDir), old);
  });

  test('--yes removes them', async (t) => {
    const [site, old] = await oldShop(t, [60, 40, 3, 2, 1]);

    const ended = await site.deploy(['backup', 'prune', '--yes']);

    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stdout, new RegExp(`pruned: ${old[0]}, ${old[1]}\n`));
    assert.deepEqual(setsIn(site.backupDir), old.slice(2));
  });

  test('removes nothing when the newest set is damaged inside', async (t) => {
    const [site, old] = await oldShop(t, [60, 40, 3, 2, 1]);
    const newest = writeSet(site.backupDir, {
      ...{ database: site.database, createdAt: new Date().toISOString(), sequence: 9 },
      files: [
        {
          ...{ name: 'structure.sql.zst', kind: 'structure', table: null, sizeBytes: 1 },
          sha256: '0'.repeat(64),
        },
      ],
    });

    const ended = await site.deploy(['backup', 'prune', '--yes']);

    assert.equal(ended.code, 15, ended.stderr);
    assert.match(ended.stderr, /structure\.sql\.zst is damaged: its SHA-256/);
    assert.deepEqual(setsIn(site.backupDir), [...old, newest].sort());
  });

  test('killed between two steps of a removal: no half set has a name, and the next one ends it', async (t) => {
    const [site, old] = await oldShop(t, [60, 40, 3, 2, 1]);

    const killed = await site.deploy(['backup', 'prune', '--yes'], {
      DEPLOY_FAIL_AT: 'prune.renamed=kill',
    });
    assert.equal(killed.signal, 'SIGKILL');
    assert.deepEqual(
      setsIn(site.backupDir).filter((name) => !name.startsWith('.')),
      old.slice(1),
    );
    assert.equal((await site.deploy(['backup', 'verify', '--all'])).code, 0);

    assert.equal((await site.deploy(['backup', 'prune', '--yes'])).code, 0);
    assert.deepEqual(setsIn(site.backupDir), old.slice(2));
    assert.deepEqual(await findLeftovers(await site.connect(), site), []);
  });
});

describe('deploy backup list', () => {
  test('shows age, version, size, tables, rows, proof and why a set is kept, without a server', async (t) => {
    const [site] = await oldShop(t, [60, 50, 40, 35]);
    assert.equal((await site.deploy(['backup', 'create'])).code, 0);
    const nobody = { DB_HOST: '/nowhere.sock' };

    const sets = JSON.parse((await site.deploy(['backup', 'list', '--json'], nobody)).stdout);

    const [newest, , , , oldest] = sets as [Json, Json, Json, Json, Json];
    assert.equal(newest['version'], '0.1.0');
    assert.equal(newest['tables'], 4);
    assert.equal(newest['rows'], 1502);
    assert.ok(newest['size_bytes'] > 1000 && newest['age_seconds'] >= 0);
    assert.match(newest['proven_at'], /^20/);
    assert.deepEqual(newest['kept_because'], ['one of the newest 3', 'younger than 30 days']);
    assert.deepEqual(oldest['kept_because'], []);
    const text = (await site.deploy(['backup', 'list'], nobody)).stdout;
    assert.match(
      text,
      /0\.1\.0, 60 d old, 0 tables, 0 rows, 1 B, proven .*, update\n +may be pruned/,
    );
  });

  test('shows a set of which a file is missing or cut off as one that cannot be used', async (t) => {
    const [site, [name]] = await oldShop(t, [60, 50]);
    truncateSync(join(site.backupDir, name!, 'structure.sql.zst'), 0);

    const { stdout } = await site.deploy(['backup', 'list']);

    assert.match(stdout, new RegExp(`${name} +cannot be used: structure\\.sql\\.zst is cut off`));
  });
});

describe('deploy backup create --format json', () => {
  test('writes lines of JSON, and a restore makes the database of them', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    await db.run('CREATE TABLE odd (id BIGINT UNSIGNED PRIMARY KEY, b BLOB, s VARCHAR(9))');
    await db.run("INSERT INTO odd VALUES (18446744073709551615, x'00ff', 'null'), (1, '', NULL)");
    const old = await takePicture(db, site.database);

    const taken = await site.deploy(['backup', 'create', '--format', 'json', '--json']);

    assert.equal(taken.code, 0, taken.stderr);
    const { name } = (JSON.parse(taken.stdout) as Json)['backup'];
    const rows = readdirSync(join(site.backupDir, name)).filter((file) => file.startsWith('rows-'));
    assert.match(rows.join(), /odd\.ndjson\.zst/);
    assert.deepEqual(
      rows.filter((file) => !file.endsWith('.ndjson.zst')),
      [],
    );
    await db.run("UPDATE odd SET s = '' WHERE id = 1");
    await db.run('DROP TABLE purchase');
    const restored = await site.deploy(['restore', '--backup', name, '--yes']);
    assert.equal(restored.code, 0, restored.stderr);
    assert.deepEqual(await takePicture(db, site.database), old);
  });

  test('with another word: exit 2, and nothing is taken', async (t) => {
    const site = await makeSite(t, server);
    const ended = await site.deploy(['backup', 'create', '--format', 'csv']);
    assert.equal(ended.code, 2);
    assert.match(ended.stderr, /csv is no format: sql or json/);
  });
});

describe('deploy backup verify', () => {
  test('reads a set in full; --restore restores it elsewhere and compares', async (t) => {
    const site = await makeSite(t, server);
    await openShop(site);
    assert.equal((await site.deploy(['backup', 'create'])).code, 0);
    const [name] = setsIn(site.backupDir);
    const nobody = { DB_HOST: '/nowhere.sock' };

    const read = await site.deploy(['backup', 'verify', name!], nobody);
    assert.equal(read.code, 0, read.stderr);
    assert.match(read.stdout, /whole: \d+ files read\n/);
    const restored = await site.deploy(
      ['backup', 'verify', '--all', '--restore', '--json'],
      nobody,
    );
    assert.equal(restored.code, 0, restored.stderr);
    const [set] = JSON.parse(restored.stdout) as [Json];
    assert.equal(set['ok'], true);
    assert.equal(set['restored'].rows, 1502);
  });

  test('--restore of a set that restores to something else: exit 14, and it says what differs', async (t) => {
    const site = await makeSite(t, server);
    await openShop(site);
    assert.equal((await site.deploy(['backup', 'create'])).code, 0);
    const [name] = setsIn(site.backupDir);
    const { forgeManifest } = await import('../support/backup/damage.ts');
    forgeManifest(join(site.backupDir, name!), (manifest) => ({
      ...manifest,
      tables: manifest.tables.map((table) => ({ ...table, rows: table.rows + 1 })),
    }));

    assert.equal((await site.deploy(['backup', 'verify', name!])).code, 0);
    const ended = await site.deploy(['backup', 'verify', name!, '--restore']);

    assert.equal(ended.code, 14, ended.stderr);
    assert.match(ended.stderr, /table customer: 501 rows expected, 500 found/);
  });

  test('--all goes on after a damaged set, and ends with exit 15', async (t) => {
    const [site, [name]] = await oldShop(t, [60, 50, 40]);
    const file = join(site.backupDir, name!, 'manifest.json');
    truncateSync(file, readFileSync(file).length - 5);

    const ended = await site.deploy(['backup', 'verify', '--all']);

    assert.equal(ended.code, 15);
    assert.match(ended.stdout, /whole: 1 files read\n.*whole: 1 files read\n/);
    assert.match(ended.stdout, /cannot be used: the manifest is damaged/);
    assert.match(ended.stderr, /1 of 3 sets cannot be used/);
  });

  test('without a name and --all, or with both: exit 2', async (t) => {
    const site = await makeSite(t, server);
    assert.equal((await site.deploy(['backup', 'verify'])).code, 2);
    assert.equal((await site.deploy(['backup', 'verify', 'x', '--all'])).code, 2);
  });
});
