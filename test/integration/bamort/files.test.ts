import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMigrations } from '../../../src/migrations/files.ts';
import { migrationsDir, versions } from '../../support/bamort/migrate.ts';

const folder = await readMigrations(migrationsDir);

test("Bamort's migrations are numbered from 0 without a gap, and each can be reverted", () => {
  assert.deepEqual(folder.versions, versions);
  assert.deepEqual(
    folder.migrations.map(({ number }) => number),
    Array.from({ length: 12 }, (_, number) => number),
  );
  for (const { down, name } of folder.migrations) assert.ok(down?.statements.length, name);
});

test("every statement of Bamort's migrations is allowed, and whole or not at all", () => {
  for (const { up, down } of folder.migrations) {
    for (const script of [up, down!]) {
      for (const { classification, line } of script.statements) {
        const { class: kind, forbidden, sessionDependent } = classification;
        const where = `${script.path}:${line}`;
        assert.equal(forbidden, null, where);
        assert.equal(sessionDependent, false, where);
        assert.ok(['ddl', 'dml'].includes(kind), `${where} is ${kind}`);
      }
    }
  }
});

test("no up file of Bamort's migrations drops anything but the emptied money columns", () => {
  const destroying = folder.migrations.flatMap(({ up }) =>
    up.statements
      .filter(({ classification }) => classification.class === 'ddl' && classification.destroysData)
      .map(() => up.path),
  );

  assert.deepEqual(destroying, ['migrations/0.4.0/0006_wealth_columns.up.sql']);
});
