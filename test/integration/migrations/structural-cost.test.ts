/** What a structural run costs besides the statements that it tries: counted, not timed. */
import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import type { Db } from '../../../src/database/connect.ts';
import { readMigrations } from '../../../src/migrations/files.ts';
import { runStructurally } from '../../../src/migrations/structural-run.ts';
import { writeMigrations } from '../../support/migrations.ts';
import { startTestServer } from '../../support/server.ts';

const live = await startTestServer({ after });
const other = await startTestServer({ after });
const scratch = await other.connect();

type Cost = { readonly rows: number; readonly statements: number };

/** Of the scratch server since its start. */
async function readCost(db: Db): Promise<Cost> {
  const rows = await db.query<{ Variable_name: string; Value: string }>(
    "SHOW GLOBAL STATUS WHERE Variable_name IN ('Questions', 'Rows_sent')",
  );
  const values = new Map(rows.map(({ Variable_name, Value }) => [Variable_name, Number(Value)]));
  return { rows: values.get('Rows_sent')!, statements: values.get('Questions')! };
}

/** The cost of a run that changes each of some tables three times. */
async function costOf(t: TestContext, tables: number): Promise<Cost> {
  const names = Array.from({ length: tables }, (_, at) => `t${at}`);
  const database = await live.createDatabase();
  const db = await live.connect(database);
  // Each partitioned table that is read costs a statement of its own.
  for (const name of names)
    await db.run(`CREATE TABLE ${name} (id int PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 2`);
  const changes = names.map(
    (name) => `ALTER TABLE ${name} ADD note int;
CREATE INDEX by_note ON ${name} (note);
CREATE TRIGGER noted_${name} BEFORE INSERT ON ${name} FOR EACH ROW SET NEW.note = 1;
`,
  );
  const folder = writeMigrations(t, { '0.2.0/0001_notes.up.sql': changes.join('') });
  const { migrations } = await readMigrations(folder);
  const before = await readCost(scratch);

  const result = await runStructurally({
    ...{ db, database, scratch: other.scratch, direction: 'up', migrations },
    collation: 'utf8mb4_unicode_ci',
  });

  assert.equal(result.failure, null);
  assert.equal(result.statements.filter((done) => done.changes.length > 0).length, 3 * tables);
  const now = await readCost(scratch);
  return { rows: now.rows - before.rows, statements: now.statements - before.statements };
}

test('twice as many tables and changes of them cost twice as much, not four times: a change reads what it changed', async (t) => {
  const once = await costOf(t, 12);

  const twice = await costOf(t, 24);

  const shown = JSON.stringify({ once, twice });
  assert.ok(twice.rows <= 2 * once.rows, shown);
  assert.ok(twice.statements <= 2 * once.statements, shown);
});
