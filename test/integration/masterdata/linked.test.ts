/** References that are written just as the key that they mean: nothing is searched for, and all is as if it were. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Db } from '../../../src/database/connect.ts';
import {
  type Files,
  makeDir,
  readSet,
  summarise,
  syncAndCommit,
  writeSet,
} from '../../support/masterdata.ts';
import { type Cleanup, startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });

/** A key that has a reference in it, a reference that may mean nothing, and a copy that goes with it. */
const declaration = {
  entities: {
    countries: {
      ...{ table: 'country', file: 'countries.json', key: ['code'] },
      fields: { code: {}, name: {} },
    },
    towns: {
      ...{ table: 'town', file: 'towns.json', key: ['country', 'name'] },
      fields: { country: { reference: 'country_id', field: 'code' }, name: {}, people: {} },
      references: {
        country_id: {
          ...{ entity: 'countries', none: { value: '', id: 0 } },
          copies: { country_code: 'code' },
        },
      },
    },
    streets: {
      ...{ table: 'street', file: 'streets.json', key: ['town', 'name'] },
      fields: { town: { reference: 'town_id', field: 'name' }, name: {} },
      references: { town_id: { entity: 'towns' } },
    },
  },
};

async function makeTables(): Promise<Db> {
  const db = await server.connect(await server.createDatabase());
  await db.run(
    'CREATE TABLE country (id int AUTO_INCREMENT PRIMARY KEY, code varchar(5), name text)',
  );
  await db.run(`CREATE TABLE town (id int AUTO_INCREMENT PRIMARY KEY, country_id int NOT NULL,
    country_code varchar(5), name varchar(20) NOT NULL, people int)`);
  await db.run(`CREATE TABLE street (id int AUTO_INCREMENT PRIMARY KEY, town_id int NOT NULL,
    name varchar(20) NOT NULL)`);
  return db;
}

async function sync(t: Cleanup, db: Db, files: Files): Promise<string[]> {
  const dir = await makeDir(t);
  await writeSet(dir, declaration, files);
  return summarise(await syncAndCommit(db, await readSet(dir)));
}

/** Each street with its town and what the town has for a country. */
function readStreets(db: Db) {
  return db.query(`SELECT s.name, t.name AS town, t.country_id, t.country_code, c.name AS country
    FROM street AS s JOIN town AS t ON t.id = s.town_id
    LEFT JOIN country AS c ON c.id = t.country_id ORDER BY s.id`);
}

const first: Files = {
  countries: [
    { code: 'NL', name: 'Nordland' },
    { code: 'SL', name: 'Südland' },
  ],
  towns: [
    { country: 'SL', name: 'Hafen', people: 1 },
    { country: '', name: 'Insel', people: 2 },
    { country: 'NL', name: 'Berg', people: 3 },
  ],
  streets: [
    { town: 'Berg', name: 'Hang' },
    { town: 'Insel', name: 'Strand' },
    { town: 'Hafen', name: 'Kai' },
  ],
};

describe('references that are written as what they mean', () => {
  test('get ids and copies of new rows, and neither where nothing is meant', async (t) => {
    const db = await makeTables();

    const done = await sync(t, db, first);

    assert.deepEqual(done, ['countries +2 ~0 -0', 'towns +3 ~0 -0', 'streets +3 ~0 -0']);
    const [nl, sl] = await db.query<{ id: number }>('SELECT id FROM country ORDER BY code');
    assert.deepEqual(await readStreets(db), [
      { name: 'Hang', town: 'Berg', country_id: nl!.id, country_code: 'NL', country: 'Nordland' },
      { name: 'Strand', town: 'Insel', country_id: 0, country_code: null, country: null },
      { name: 'Kai', town: 'Hafen', country_id: sl!.id, country_code: 'SL', country: 'Südland' },
    ]);
    assert.deepEqual(await sync(t, db, first), []);
  });

  test('keep the ids of rows that change at the same time', async (t) => {
    const db = await makeTables();
    await sync(t, db, first);
    const before = await db.query('SELECT id, country_id, name FROM town ORDER BY id');
    const renamed = first['countries']!.map((row) => ({ ...row, name: `${row['name']} neu` }));
    const towns = first['towns']!.map((row) => ({ ...row, people: 9 }));
    const added = { country: 'SL', name: 'Bucht', people: 1 };
    const street = { town: 'Bucht', name: 'Mole' };

    const done = await sync(t, db, {
      countries: renamed,
      towns: [...towns, added],
      streets: [...first['streets']!, street],
    });

    assert.deepEqual(done, ['countries +0 ~2 -0', 'towns +1 ~3 -0', 'streets +1 ~0 -0']);
    const now = await db.query('SELECT id, country_id, name FROM town ORDER BY id');
    assert.deepEqual(now.slice(0, 3), before);
    const sl = await db.one<{ id: number }>("SELECT id FROM country WHERE code = 'SL'");
    assert.deepEqual((await readStreets(db)).at(-1), {
      ...{ name: 'Mole', town: 'Bucht', country_id: sl!.id, country_code: 'SL' },
      country: 'Südland neu',
    });
  });

  test('beside one that is spelled otherwise have the same ids and copies', async (t) => {
    const [plain, mixed] = [await makeTables(), await makeTables()];
    const [port, ...others] = first['towns']!;

    await sync(t, plain, first);
    await sync(t, mixed, { ...first, towns: [{ ...port, country: 'sl' }, ...others] });

    assert.deepEqual(await readStreets(mixed), await readStreets(plain));
  });
});
