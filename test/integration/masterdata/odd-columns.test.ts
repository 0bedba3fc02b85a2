/** Values that only the server can refuse: they are named like all others, before the first write. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Db } from '../../../src/database/connect.ts';
import { isDeployError } from '../../../src/errors/deploy-error.ts';
import { exportMasterdata } from '../../../src/masterdata/export.ts';
import { readMasterdata } from '../../../src/masterdata/read.ts';
import {
  type FileRow,
  makeDir,
  readSet,
  summarise,
  syncAndCommit,
  writeSet,
} from '../../support/masterdata.ts';
import { type Cleanup, startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });

const columns = {
  day: 'date',
  moment: 'datetime',
  kinds: "set('a','b')",
  ratio: 'float',
  amount: 'decimal(6,2) unsigned',
  size: 'double unsigned',
  plain: 'varchar(20) CHARACTER SET utf8mb3',
  since: 'year',
};
const declaration = {
  entities: {
    oddities: {
      ...{ table: 'oddity', file: 'oddities.json', key: ['name'] },
      fields: Object.fromEntries(['name', ...Object.keys(columns)].map((name) => [name, {}])),
    },
  },
};
const good: FileRow = {
  ...{ name: 'gut', day: '2026-01-17', moment: '2026-01-17 10:30:00', kinds: 'a,b' },
  ...{ ratio: 1.5, amount: '2.50', size: 0.5, plain: 'Öl', since: 2026 },
};

async function makeTable(): Promise<Db> {
  const db = await server.connect(await server.createDatabase());
  const parts = Object.entries(columns).map(([name, type]) => `${name} ${type}`);
  await db.run(`CREATE TABLE oddity (id int AUTO_INCREMENT PRIMARY KEY,
    name varchar(20) NOT NULL, ${parts.join()})`);
  return db;
}

async function setOf(t: Cleanup, oddities: FileRow[]) {
  const dir = await makeDir(t);
  await writeSet(dir, declaration, { oddities });
  return readSet(dir);
}

const bad: FileRow = {
  ...{ day: '2026-13-45', moment: 'nonsense', kinds: 'a,zzz', ratio: 1e39, amount: '-1.00' },
  ...{ size: -1, plain: '😀', since: 1 },
};

describe('a value that only the server can refuse', () => {
  test('is named with file, place, key and field; all of them at once', async (t) => {
    const db = await makeTable();
    const rows = Object.entries(bad).map(([field, value]) => ({
      ...good,
      ...{ name: `row ${field}`, [field]: value },
    }));
    const set = await setOf(t, [good, ...rows]);

    const error = await syncAndCommit(db, set).catch((thrown: unknown) => thrown);

    assert.ok(isDeployError(error, 'MASTERDATA_INVALID'), String(error));
    const problems = error.facts['problems'] as { where: string; message: string }[];
    assert.deepEqual(
      problems.map(({ where, message }) => `${where}: ${message.split(':')[0]}`).sort(),
      Object.keys(bad)
        .map((field, at) => `oddities.json data[${at + 1}] (row ${field}): ${field}`)
        .sort(),
    );
    assert.match(
      problems.find(({ message }) => message.startsWith('day'))!.message,
      /^day: 2026-13-45 is no value of a column date$/,
    );
    assert.deepEqual(await db.query('SELECT * FROM oddity'), []);
  });

  test('in a key leaves the row out, and the others are still checked', async (t) => {
    const db = await makeTable();
    await db.run('ALTER TABLE oddity MODIFY name varchar(20) CHARACTER SET utf8mb3 NOT NULL');
    const set = await setOf(t, [
      { ...good, name: '😀' },
      { ...good, day: 'never' },
    ]);

    const error = await syncAndCommit(db, set).catch((thrown: unknown) => thrown);

    assert.ok(isDeployError(error, 'MASTERDATA_INVALID'), String(error));
    const problems = error.facts['problems'] as { where: string }[];
    assert.deepEqual(problems.map(({ where }) => where).sort(), [
      'oddities.json data[0] (😀)',
      'oddities.json data[1] (gut)',
    ]);
  });

  test('in several keys is no key that these rows have in common', async (t) => {
    const db = await makeTable();
    await db.run('ALTER TABLE oddity MODIFY name varchar(20) CHARACTER SET utf8mb3 NOT NULL');
    const set = await setOf(t, [
      { ...good, name: '😀' },
      { ...good, name: '🚀' },
    ]);

    const error = await syncAndCommit(db, set).catch((thrown: unknown) => thrown);

    assert.ok(isDeployError(error, 'MASTERDATA_INVALID'), String(error));
    const problems = error.facts['problems'] as { message: string }[];
    assert.deepEqual(
      problems.map(({ message }) => message),
      ['😀', '🚀'].map((name) => `name: ${name} is no value of a column varchar(20) of utf8mb3`),
    );
  });

  test('thousands of them end the search, not the program', async (t) => {
    const db = await makeTable();
    const rows = Array.from({ length: 3000 }, (_, at) => ({ name: `n${at}`, day: 'never' }));

    const error = await syncAndCommit(db, await setOf(t, rows)).catch((thrown: unknown) => thrown);

    assert.ok(isDeployError(error, 'MASTERDATA_INVALID'), String(error));
    // Each costs a statement.
    assert.ok(Number(error.facts['count']) < 1000, error.message);
  });
});

test('values of all these columns come back from an export as they were', async (t) => {
  const [from, to] = [await makeTable(), await makeTable()];
  const set = await setOf(t, [good]);
  await syncAndCommit(from, set);
  const dir = await makeDir(t);
  const about = { backendVersion: '', dbVersion: '', timestamp: '', gameSystem: '' };
  await exportMasterdata(from, set.entities, dir, about);

  await syncAndCommit(to, await readMasterdata(dir, set.entities));

  assert.deepEqual(
    await to.query('SELECT * FROM oddity'),
    await from.query('SELECT * FROM oddity'),
  );
  assert.deepEqual(summarise(await syncAndCommit(to, set)), []);
});
