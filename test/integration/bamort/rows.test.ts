import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Db } from '../../../src/database/connect.ts';
import { readRows, runUpTo } from '../../support/bamort/migrate.ts';
import { fillLegacy, fillVersion040 } from '../../support/bamort/rows.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });

async function databaseAt(version: '0.3.0' | '0.4.0'): Promise<Db> {
  const db = await server.connect(await server.createDatabase());
  await runUpTo(db, version);
  return db;
}

const count = async (db: Db, from: string): Promise<number> =>
  Number((await db.one<{ n: string }>(`SELECT COUNT(*) AS n FROM ${from}`))?.n);

/** What the real data has and tests must therefore meet, as the rows that show it. */
const oddities: Readonly<Record<string, string>> = {
  'ten skills called Placeholder': "gsm_skills WHERE name = 'Placeholder' HAVING n = 10",
  'two beliefs without name': "gsm_believes WHERE name = '' HAVING n = 2",
  'one empty address': "users WHERE email = '' HAVING n = 1",
  'the text null': "char_chars WHERE spezialisierung = 'null' HAVING n = 10",
  'a ligature that the server takes for ff':
    "gsm_weapons JOIN gsm_weaponskills AS s ON skill_required = s.name AND HEX(skill_required) <> HEX(s.name) WHERE skill_required LIKE BINARY '%ﬀ%'",
  'pictures of both spellings':
    "char_chars WHERE image LIKE 'data:image;base64,%' OR image LIKE 'data:image/png;base64,%' HAVING COUNT(DISTINCT LEFT(image, 12)) = 2",
  'NULL, 0 and an id for a source':
    'gsm_equipments HAVING SUM(source_id IS NULL) > 0 AND SUM(source_id = 0) > 0 AND SUM(source_id > 0) > 0',
  "NULL, '' and a text":
    "skill_skills HAVING SUM(beschreibung IS NULL) > 0 AND SUM(beschreibung = '') > 0 AND SUM(beschreibung <> '') > 0",
  'long texts with CR LF, quotes and ∞':
    "skill_skills WHERE LENGTH(beschreibung) > 2000 AND beschreibung LIKE '%∞%\\r\\n%' AND beschreibung LIKE '%''%' AND beschreibung LIKE '%\"%'",
  'attributes without an id of their own': 'char_eigenschaften WHERE id = 0',
  'an audit entry without character': 'audit_log_entries WHERE character_id = 0',
  milliseconds: 'users WHERE MICROSECOND(created_at) > 0',
  'a purse without character': 'char_wealth WHERE character_id IS NULL',
  'a character without anything':
    'char_chars AS c WHERE NOT EXISTS (SELECT 1 FROM skill_skills WHERE character_id = c.id) AND NOT EXISTS (SELECT 1 FROM char_health WHERE character_id = c.id)',
};

describe('the generated rows', () => {
  for (const [name, from] of Object.entries(oddities)) {
    test(`legacy rows have ${name}`, async () => {
      const [table, having] = from.split(' HAVING ');
      const where = having === undefined ? '' : ` HAVING ${having.replace(/^n /, 'COUNT(*) ')}`;
      const db = await legacy;

      const rows = await db.query(`SELECT COUNT(*) AS n FROM ${table}${where}`);

      assert.ok(Number(rows[0]?.['n'] ?? 0) > 0);
    });
  }

  test('every legacy table has rows, as many as the counts say', async () => {
    const db = await databaseAt('0.3.0');

    const counts = await fillLegacy(db, { characters: 20 });

    const tables = await readRows(db);
    assert.deepEqual(
      [...tables]
        .filter(([table]) => !table.match(/^(schema_version|migration_history)$/))
        .map(([table, rows]) => [table, rows.length]),
      [...counts].sort(([a], [b]) => (a < b ? -1 : 1)),
    );
    assert.equal(counts.size, 36);
  });

  test('the same seed gives the same rows, another seed gives others', async () => {
    const [first, second, other] = await Promise.all([1, 2, 3].map(() => databaseAt('0.4.0')));

    await fillVersion040(first!, { seed: 5, characters: 60 });
    await fillVersion040(second!, { seed: 5, characters: 60 });
    await fillVersion040(other!, { seed: 6, characters: 60 });

    assert.deepEqual(await readRows(second!), await readRows(first!));
    assert.notDeepEqual(await readRows(other!), await readRows(first!));
  });

  test('a thousand characters with pictures fit in', async () => {
    const db = await databaseAt('0.3.0');

    const counts = await fillLegacy(db, { characters: 1000, imageBytes: 10_000 });

    assert.equal(counts.get('char_chars'), 1000);
    assert.equal(await count(db, 'char_chars'), 1000);
    assert.equal(await count(db, 'skill_skills'), counts.get('skill_skills'));
    const sizes = await db.one('SELECT MAX(LENGTH(image)) AS largest FROM char_chars');
    assert.ok(Number(sizes?.['largest']) > 15_000);
  });

  test('an empty table can still tell by its counter that it had rows', async () => {
    const db = await databaseAt('0.4.0');

    await fillVersion040(db);

    assert.equal(await count(db, 'learning_skill_improvement_costs'), 0);
    const shown = await db.one('SHOW CREATE TABLE learning_skill_improvement_costs');
    assert.match(String(shown?.['Create Table']), /AUTO_INCREMENT=610 /);
  });
});

const legacy = databaseAt('0.3.0').then(async (db) => {
  await fillLegacy(db);
  return db;
});
