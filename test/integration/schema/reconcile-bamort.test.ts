import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { quoteNameText } from '../../../src/database/identifier.ts';
import { readMigrations } from '../../../src/migrations/files.ts';
import { buildVersionModels } from '../../../src/migrations/structural-run.ts';
import { compareSchemas } from '../../../src/schema/compare.ts';
import type { SchemaModel, Table } from '../../../src/schema/model.ts';
import { readSchema } from '../../../src/schema/read.ts';
import { planReconcile, type ReconcilePlan } from '../../../src/schema/reconcile.ts';
import { runAddition } from '../../../src/schema/reconcile-run.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });
const collation = 'utf8mb4_unicode_ci';
const models = await buildVersionModels({
  scratch: server.scratch,
  folder: await readMigrations(join(import.meta.dirname, '../../../migrations')),
  ...{ charset: 'utf8mb4', collation },
});
const newest = models.get('0.5.0') as SchemaModel;

async function reconcile(expected: SchemaModel, name: string): Promise<ReconcilePlan> {
  const db = await server.connect(name);
  const plan = planReconcile(expected, await readSchema(db, name));
  for (const addition of plan.additions) await runAddition(db, { name, collation }, addition);
  await db.close();
  return plan;
}

async function read(name: string): Promise<SchemaModel> {
  const db = await server.connect(name);
  const model = await readSchema(db, name);
  await db.close();
  return model;
}

describe('the safety net on Bamort', () => {
  test('makes the whole schema of 0.5.0 in an empty database', async () => {
    const name = await server.createDatabase();

    const plan = await reconcile(newest, name);

    assert.deepEqual(plan.others, []);
    assert.deepEqual(compareSchemas(newest, await read(name)), []);
    assert.ok(plan.additions.length > 80, `${plan.additions.length} additions`);
  });

  test('brings back every index and foreign key', async () => {
    const name = await server.createDatabase();
    await reconcile(newest, name);
    const db = await server.connect(name);
    await db.run('SET foreign_key_checks=0');
    const { objects } = await read(name);
    const tables = [...objects.values()].filter(
      (object): object is Table => object.kind === 'table',
    );
    const drop = async (table: Table, names: readonly string[], what: string) => {
      if (names.length === 0) return;
      const drops = names.map((one) => `DROP ${what} ${quoteNameText(one)}`);
      await db.run(`ALTER TABLE ${quoteNameText(table.name)} ${drops.join(', ')}`);
    };
    for (const table of tables)
      await drop(
        table,
        table.foreignKeys.map((key) => key.name),
        'FOREIGN KEY',
      );
    for (const table of tables) {
      const names = table.indexes.map((index) => index.name).filter((index) => index !== 'PRIMARY');
      await drop(table, names, 'INDEX');
    }
    await db.close();

    const plan = await reconcile(newest, name);

    assert.deepEqual(plan.others, []);
    assert.deepEqual(compareSchemas(newest, await read(name)), []);
  });

  for (const [from, to] of [
    ['0.3.0', '0.4.0'],
    ['0.4.0', '0.5.0'],
    ['0.3.0', '0.5.0'],
  ] as const)
    test(`adds to ${from} what can be added of ${to}, and a second time nothing`, async () => {
      const name = await server.createDatabase();
      await reconcile(models.get(from) as SchemaModel, name);
      const expected = models.get(to) as SchemaModel;

      const first = await reconcile(expected, name);

      const second = planReconcile(expected, await read(name));
      assert.ok(first.additions.length > 0);
      assert.deepEqual(second.additions, []);
      assert.deepEqual(second.others, first.others);
    });
});
