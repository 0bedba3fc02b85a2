import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Db } from '../../../src/database/connect.ts';
import { runUpTo, runVersion } from '../../support/bamort/migrate.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });

type Coins = readonly (number | null)[];

/** Amounts in the old columns and in the ASCII columns before, in the ASCII columns after. */
const cases: readonly { name: string; old: Coins; ascii: Coins; after: Coins }[] = [
  { name: 'only in the old columns', old: [1, 2, 3], ascii: [null, null, null], after: [1, 2, 3] },
  { name: 'only in the new columns', old: [null, null, null], ascii: [4, 5, 6], after: [4, 5, 6] },
  { name: 'the same in both', old: [7, 8, 9], ascii: [7, 8, 9], after: [7, 8, 9] },
  { name: 'different in both', old: [10, 11, 12], ascii: [20, 11, -5], after: [20, 11, -5] },
  { name: '0 is an amount', old: [0, 13, null], ascii: [null, 0, 0], after: [0, 0, 0] },
  {
    name: 'nowhere',
    old: [null, null, null],
    ascii: [null, null, null],
    after: [null, null, null],
  },
];

async function makeDatabase(): Promise<Db> {
  const db = await server.connect(await server.createDatabase());
  await runUpTo(db, '0.3.0');
  for (const [at] of cases.entries()) {
    await db.run(`INSERT INTO char_chars (id, name) VALUES (${at + 1}, 'Ärna')`);
  }
  for (const [at, { old, ascii }] of cases.entries()) {
    const amounts = [...old, ...ascii].map((amount) => amount ?? 'NULL').join(', ');
    await db.run(`INSERT INTO char_wealth (id, character_id, user_id, \`goldstücke\`, \`silberstücke\`,
        \`kupferstücke\`, goldstuecke, silberstuecke, kupferstuecke)
      VALUES (${at + 1}, ${at === 3 ? 'NULL' : at + 1}, 9, ${amounts})`);
  }
  await db.run(`INSERT INTO audit_log_entries (id, character_id, field_name, old_value, notes)
    VALUES (40, 4, 'goldstuecke', 77, 'char_wealth.id=4')`);
  return db;
}

const readAscii = (db: Db) => readCoins(db, 'goldstuecke, silberstuecke, kupferstuecke');
const readOld = (db: Db) => readCoins(db, '`goldstücke`, `silberstücke`, `kupferstücke`');

async function readCoins(db: Db, columns: string): Promise<Coins[]> {
  const rows = await db.query(`SELECT ${columns} FROM char_wealth ORDER BY id`);
  return rows.map((row) => Object.values(row).map((coin) => (coin === null ? null : Number(coin))));
}

const readLog = (db: Db) =>
  db.query(`SELECT character_id, field_name, old_value, new_value, difference, user_id, notes
    FROM audit_log_entries WHERE id <> 40 ORDER BY field_name, old_value`);

describe('money with and without umlauts', () => {
  test('moves into the columns with ASCII names, and never over another amount', async () => {
    const db = await makeDatabase();

    await runVersion(db, '0.4.0');

    assert.deepEqual(
      await readAscii(db),
      cases.map((one) => one.after),
    );
  });

  test('an amount that another one stands against is kept in the audit log', async () => {
    const db = await makeDatabase();

    await runVersion(db, '0.4.0');

    const entry = { user_id: '9', notes: 'char_wealth.id=4' };
    assert.deepEqual(await readLog(db), [
      // The fourth purse has no character: the log says 0.
      {
        character_id: '0',
        field_name: 'goldstuecke',
        old_value: '10',
        new_value: '20',
        difference: '10',
        ...entry,
      },
      {
        character_id: '0',
        field_name: 'kupferstuecke',
        old_value: '12',
        new_value: '-5',
        difference: '-17',
        ...entry,
      },
      {
        character_id: '5',
        field_name: 'silberstuecke',
        old_value: '13',
        new_value: '0',
        difference: '-13',
        user_id: '9',
        notes: 'char_wealth.id=5',
      },
    ]);
  });

  test('going back fills both sets of columns, with the old amounts where they differed', async () => {
    const db = await makeDatabase();
    await runVersion(db, '0.4.0');

    await runVersion(db, '0.4.0', 'down');

    const expected = cases.map(({ old, after: now }) => now.map((coin, at) => old[at] ?? coin));
    assert.deepEqual(await readOld(db), expected);
    assert.deepEqual(
      await readAscii(db),
      cases.map((one) => one.after),
    );
    assert.deepEqual(await readLog(db), []);
    assert.equal((await db.query('SELECT id FROM audit_log_entries')).length, 1);
  });

  test('an entry of a purse that is gone stays in the audit log when going back', async () => {
    const db = await makeDatabase();
    await runVersion(db, '0.4.0');
    await db.run('DELETE FROM char_wealth WHERE id = 5');

    await runVersion(db, '0.4.0', 'down');

    assert.deepEqual(
      (await readLog(db)).map((row) => row['notes']),
      ['char_wealth.id=5'],
    );
  });

  test('going forward again changes nothing more', async () => {
    const db = await makeDatabase();
    await runVersion(db, '0.4.0');
    const [coins, log] = [await readAscii(db), await readLog(db)];

    await runVersion(db, '0.4.0', 'down');
    await runVersion(db, '0.4.0');

    assert.deepEqual(await readAscii(db), coins);
    assert.deepEqual(await readLog(db), log);
  });
});
