import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Db } from '../../../src/database/connect.ts';
import { onlyColumns, readRows, runUpTo, runVersion } from '../../support/bamort/migrate.ts';
import { addDumpVersionRow, fillLegacy, fillVersion040 } from '../../support/bamort/rows.ts';
import { renamedTables } from '../../support/bamort/version-040.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });

async function databaseAt(version: '0.3.0' | '0.4.0'): Promise<Db> {
  const db = await server.connect(await server.createDatabase());
  await runUpTo(db, version);
  return db;
}

// Compared on their own: amounts move between columns, and conflicting ones into the audit log.
const moneyTables = ['char_wealth', 'audit_log_entries'];

describe("the rows of Bamort's database", () => {
  test('a legacy database keeps every row and value on its way to 0.5.0, under the new names', async () => {
    const db = await databaseAt('0.3.0');
    await fillLegacy(db, { characters: 40, seed: 7 });
    const before = await readRows(db);

    await runVersion(db, '0.4.0');
    await runVersion(db, '0.5.0');

    const now = await readRows(db);
    for (const [table, rows] of before) {
      if (moneyTables.includes(table)) continue;
      assert.ok(rows.length > 0, `${table} has rows`);
      assert.deepEqual(onlyColumns(now.get(renamedTables.get(table) ?? table)!, rows), rows, table);
    }
  });

  test('a database of 0.1.37 keeps every row and value on its way to 0.5.0', async () => {
    const db = await databaseAt('0.4.0');
    await fillVersion040(db, { characters: 20 });
    const before = await readRows(db);

    await runVersion(db, '0.5.0');

    const now = await readRows(db);
    for (const [table, rows] of before) {
      assert.deepEqual(onlyColumns(now.get(table)!, rows), rows, table);
    }
  });

  test('going back to 0.4.0 and 0.3.0 leaves every row as it was', async () => {
    const db = await databaseAt('0.3.0');
    await fillLegacy(db, { characters: 40, seed: 3 });
    const at030 = await readRows(db);
    await runVersion(db, '0.4.0');
    const at040 = await readRows(db);
    await runVersion(db, '0.5.0');

    await runVersion(db, '0.5.0', 'down');
    assert.deepEqual(await readRows(db), at040);

    await runVersion(db, '0.4.0', 'down');
    const back = await readRows(db);
    for (const [table, rows] of at030) {
      if (table !== 'char_wealth') assert.deepEqual(back.get(table), rows, table);
    }
    assert.deepEqual(back.get('schema_version'), []);
  });
});

describe('version tables', () => {
  test("a row '0.1.37' is there once, so that the backend adds none", async () => {
    const db = await databaseAt('0.4.0');

    await runVersion(db, '0.5.0');
    assert.equal(await countPlaceholders(db), 1);

    await runVersion(db, '0.5.0', 'down');
    assert.equal(await countPlaceholders(db), 1, '0.5.0 does not take away the row of 0.4.0');
  });

  test("an adopted database gets its row '0.1.37' with 0.5.0 and loses it with the revert", async () => {
    const db = await databaseAt('0.4.0');
    await db.run('DELETE FROM schema_version');
    await addDumpVersionRow(db);

    await runVersion(db, '0.5.0');
    assert.equal(await countPlaceholders(db), 1);

    await runVersion(db, '0.5.0', 'down');
    assert.equal(await countPlaceholders(db), 0);
    assert.equal((await db.query('SELECT id FROM schema_version')).length, 1);
  });

  test('version tables with TIMESTAMP are used as they are', async () => {
    const db = await databaseAt('0.3.0');
    await db.run(`CREATE TABLE schema_version (id INT AUTO_INCREMENT PRIMARY KEY,
      version VARCHAR(20) NOT NULL, migration_number INT NOT NULL,
      applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, backend_version VARCHAR(20) NOT NULL,
      description TEXT, checksum VARCHAR(64))`);

    await runVersion(db, '0.4.0');

    const row = await db.one<{ recent: unknown }>(
      'SELECT applied_at > NOW() - INTERVAL 1 HOUR AS recent FROM schema_version',
    );
    assert.equal(Number(row?.recent), 1);
  });
});

describe('game systems', () => {
  test('rules get game system 1 under each of its names, and no system under another name', async () => {
    const db = await databaseAt('0.4.0');
    await db.run(`INSERT INTO gsm_skills (name, game_system) VALUES ('a', 'midgard'), ('b', 'M5'),
      ('c', 'm-system'), ('d', 'Anderes'), ('e', ''), ('f', NULL)`);

    await runVersion(db, '0.5.0');

    const rows = await db.query('SELECT name, game_system_id AS id FROM gsm_skills ORDER BY name');
    assert.deepEqual(
      rows.map(({ name, id }) => `${name} ${id}`),
      ['a 1', 'b 1', 'c 1', 'd null', 'e null', 'f null'],
    );
    assert.deepEqual(await db.query('SELECT id, code, name, is_active FROM game_systems'), [
      { id: '1', code: 'M5', name: 'M-System', is_active: 1 },
    ]);
  });

  test('every rule and character of a filled database belongs to game system 1', async () => {
    const db = await databaseAt('0.3.0');
    await fillLegacy(db);
    await runVersion(db, '0.4.0');
    await db.run("INSERT INTO gsm_misc (`key`, value) VALUES ('Hand', 'beide')");

    await runVersion(db, '0.5.0');

    const tables = await db.query<{ name: string }>(`
      SELECT table_name AS name FROM information_schema.columns
      WHERE table_schema = DATABASE() AND column_name = 'game_system_id'`);
    assert.equal(tables.length, 16);
    for (const { name } of tables) {
      const row = await db.one(`SELECT COUNT(*) > 0 AS filled, MIN(game_system = 'midgard'
        AND game_system_id <=> 1) AS midgard FROM \`${name}\``);
      assert.deepEqual(row, { filled: row?.['filled'], midgard: row?.['filled'] }, name);
      assert.equal(Number(row?.['filled']), 1, name);
    }
  });
});

describe('improvement costs', () => {
  test('each category, difficulty and level has the one price that its old rows had', async () => {
    const db = await databaseAt('0.3.0');
    await fillLegacy(db);
    await runVersion(db, '0.4.0');

    await runVersion(db, '0.5.0');

    const [counts] = await db.query<{ now: string; distinct_old: string; same: string }>(`
      SELECT
        (SELECT COUNT(*) FROM skill_improvement_cost2) AS now,
        (SELECT COUNT(DISTINCT pair.skill_category_id, pair.skill_difficulty_id, current_level)
          FROM learning_skill_improvement_costs AS cost JOIN learning_skill_category_difficulties AS pair
            ON pair.id = cost.skill_category_difficulty_id) AS distinct_old,
        (SELECT COUNT(*) FROM learning_skill_improvement_costs AS cost
          JOIN learning_skill_category_difficulties AS pair
            ON pair.id = cost.skill_category_difficulty_id
          JOIN skill_improvement_cost2 AS price
            ON price.skill_category_id = pair.skill_category_id
            AND price.skill_difficulty_id = pair.skill_difficulty_id
            AND price.current_level = cost.current_level
            AND price.te_required = cost.te_required) AS same`);
    assert.deepEqual(counts, { now: '240', distinct_old: '240', same: '614' });
  });

  test('where old rows disagree, most of them win, and of equally many the lowest price', async () => {
    const db = await databaseAt('0.3.0');
    await fillLegacy(db, { characters: 0 });
    await db.run('DELETE FROM learning_skill_improvement_costs');
    // Rows 1, 28 and 55 (counted with gaps) are the same pair of category and difficulty.
    await db.run(`INSERT INTO learning_skill_improvement_costs
        (skill_category_difficulty_id, current_level, te_required)
      SELECT id, 5, IF(id = 1, 1, 20) FROM learning_skill_category_difficulties
        WHERE id IN (1, 28, 55)
      UNION ALL SELECT id, 6, IF(id = 1, 8, 7) FROM learning_skill_category_difficulties
        WHERE id IN (1, 28)`);
    await runVersion(db, '0.4.0');

    await runVersion(db, '0.5.0');

    const rows = await db.query(
      'SELECT current_level AS l, te_required AS te FROM skill_improvement_cost2',
    );
    assert.deepEqual(
      rows.map(({ l, te }) => `${l}:${te}`),
      ['5:20', '6:7'],
    );
  });
});

async function countPlaceholders(db: Db): Promise<number> {
  return (await db.query("SELECT id FROM schema_version WHERE version = '0.1.37'")).length;
}
