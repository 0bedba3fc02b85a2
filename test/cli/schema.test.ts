import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { makeSite } from '../support/deploy.ts';
import type { Json } from '../support/json.ts';
import { takePicture } from '../support/picture.ts';
import { startTestServer } from '../support/server.ts';
import { cities, openShop, shop } from '../support/shop.ts';

const server = await startTestServer({ after });

describe('deploy schema dump', () => {
  test('prints the structure, and the same text for the same structure elsewhere', async (t) => {
    const [one, two] = [await makeSite(t, server), await makeSite(t, server)];
    await openShop(one);
    const db = await openShop(two);
    await db.run('DELETE FROM purchase');
    await db.run('ALTER TABLE purchase AUTO_INCREMENT = 5000');

    const [first, second] = [
      await one.deploy(['schema', 'dump']),
      await two.deploy(['schema', 'dump']),
    ];

    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /^table customer\n {2}InnoDB/m);
    assert.match(first.stdout, /^ {2}foreign key purchase_customer \(customer_id\) to customer/m);
    assert.doesNotMatch(first.stdout, /deploy_/);
    assert.equal(second.stdout, first.stdout);
    const json = JSON.parse((await one.deploy(['schema', 'dump', '--json'])).stdout) as Json;
    assert.ok(json['objects'].some(({ name }: Json) => name === 'purchase'));
  });
});

describe('deploy schema diff', () => {
  test('0 when the database is what its migrations make, 15 with each difference, and it changes nothing', async (t) => {
    const site = await makeSite(t, server);
    const db = await openShop(site);
    const before = await takePicture(db, site.database);
    const equal = await site.deploy(['schema', 'diff', '--verbose']);
    assert.equal(equal.code, 0, equal.stderr);
    assert.match(equal.stdout, /has the structure that the migrations make of 0\.1\.0/);
    assert.deepEqual(await takePicture(db, site.database), before);
    await db.run('ALTER TABLE customer DROP COLUMN city');
    await db.run('ALTER TABLE purchase ADD note TEXT');

    const drifted = await site.deploy(['schema', 'diff']);

    assert.equal(drifted.code, 15, drifted.stderr);
    assert.match(drifted.stdout, /^! table customer: column city .*missing$/m);
    assert.match(drifted.stdout, /^\+ table purchase: column note/m);
    assert.match(drifted.stdout, /1 missing or different \(!\), 1 more/);
    const json = JSON.parse((await site.deploy(['schema', 'diff', '--json'])).stdout) as Json;
    assert.equal(json['equal'], false);
    assert.equal(json['differences'].length, 2);
  });

  test('--version compares with another version; one that is not there is refused', async (t) => {
    const site = await makeSite(t, server);
    await openShop(site);
    await site.write(cities);

    const ahead = await site.deploy(['schema', 'diff', '--version', '0.2.0']);

    assert.equal(ahead.code, 15, ahead.stderr);
    assert.match(ahead.stdout, /^! table city expected, missing$/m);
    assert.equal((await site.deploy(['schema', 'diff', '--version', '0.9.0'])).code, 13);
    assert.equal((await site.deploy(['schema', 'diff', '--version', 'nine'])).code, 2);
  });

  test('a database without a version needs --version: exit 13', async (t) => {
    const site = await makeSite(t, server, shop);

    const ended = await site.deploy(['schema', 'diff']);

    assert.equal(ended.code, 13, ended.stderr);
    assert.match(ended.stderr, /--version V; there are: 0\.1\.0/);
  });
});

describe('deploy new', () => {
  const nothing = { DB_HOST: undefined, DB_NAME: undefined, DB_USER: undefined };
  const read = (dir: string, file: string) => readFile(path.join(dir, file), 'utf8');

  test('makes the next two files; they are refused until somebody has written a statement', async (t) => {
    const site = await makeSite(t, server, { ...shop, ...cities });

    const made = await site.deploy(['new', 'opening_hours', '--verbose'], nothing);

    assert.equal(made.code, 0, made.stderr);
    const up = await read(site.migrationsDir, '0.2.0/0003_opening_hours.up.sql');
    assert.match(up, /^-- .*\n--! description: opening hours\n/);
    assert.match(await read(site.migrationsDir, '0.2.0/0003_opening_hours.down.sql'), /0003/);
    const empty = await site.deploy(['up'], { UPDATE_PATH: 'stepwise' });
    assert.equal(empty.code, 15);
    assert.match(empty.stderr, /0003_opening_hours\.up\.sql/);
    await writeFile(
      path.join(site.migrationsDir, '0.2.0/0003_opening_hours.up.sql'),
      `${up}CREATE TABLE opening (day INT PRIMARY KEY);\n`,
    );
    const ended = await site.deploy(['up'], { UPDATE_PATH: 'stepwise' });
    assert.equal(ended.code, 0, ended.stderr);
  });

  test('--version begins a new version; one that lies behind is refused', async (t) => {
    const site = await makeSite(t, server, { ...shop, ...cities });

    const made = await site.deploy(['new', 'x', '--version', '0.10.0', '--json'], nothing);

    assert.equal(made.code, 0, made.stderr);
    const { up, number } = JSON.parse(made.stdout) as Json;
    assert.deepEqual([up, number], ['0.10.0/0003_x.up.sql', 3]);
    assert.equal((await site.deploy(['new', 'y', '--version', '0.1.0'], nothing)).code, 15);
    await site.write({ '0.10.0/0003_x.up.sql': 'CREATE TABLE x (id INT);\n' });
    const behind = await site.deploy(['new', 'y', '--version', '0.2.0'], nothing);
    assert.equal(behind.code, 13);
    assert.match(behind.stderr, /--version 0\.10\.0 or a higher one/);
  });

  test('a bad name is refused, with the one that is meant: exit 2', async (t) => {
    const site = await makeSite(t, server, shop);
    for (const name of ['Add Things!', '../x', 'a__b', 'ä', 'a'.repeat(101)]) {
      const ended = await site.deploy(['new', name], nothing);
      assert.equal(ended.code, 2, `${name}: ${ended.stderr}`);
    }

    assert.match(
      (await site.deploy(['new', 'Add Things!'], nothing)).stderr,
      /is add_things meant/,
    );
    assert.equal((await site.deploy(['new', 'x', '--version', '1'], nothing)).code, 2);
    assert.equal((await site.deploy(['new'], nothing)).code, 2);
  });
});
