import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { Db } from '../../../src/database/connect.ts';
import { compareSchemas } from '../../../src/schema/compare.ts';
import { digestOf, fingerprintSchema } from '../../../src/schema/fingerprint.ts';
import type { SchemaModel } from '../../../src/schema/model.ts';
import { readSchema } from '../../../src/schema/read.ts';
import {
  filesOf,
  migrationsDir,
  readStructure,
  runFile,
  runUpTo,
  runVersion,
  versions,
} from '../../support/bamort/migrate.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });
const emptyDatabase = async (): Promise<Db> => server.connect(await server.createDatabase());

describe("the structure that Bamort's migrations make", () => {
  test('schema.sql is what the migrations make', async () => {
    const [replayed, written] = [await emptyDatabase(), await emptyDatabase()];

    await runUpTo(replayed, '0.5.0');
    await runFile(written, join(migrationsDir, 'schema.sql'));

    assert.deepEqual(await readStructure(written), await readStructure(replayed));
    const [expected, actual] = await Promise.all([replayed, written].map(readModel));
    assert.deepEqual(compareSchemas(expected!, actual!), []);
    assert.equal(digestOf(fingerprintSchema(actual!)), digestOf(fingerprintSchema(expected!)));
  });

  test('every version has as many tables, indexes and foreign keys as the real databases', async () => {
    const db = await emptyDatabase();
    const found: Record<string, unknown> = {};

    for (const version of versions) {
      await runVersion(db, version);
      found[version] = await countObjects(db);
    }

    // Facts: the init-db dump of December, the dump of 0.1.37, and that dump after backend 0.2.2.
    assert.deepEqual(found, {
      '0.3.0': { tables: 36, indexes: 126, foreignKeys: 26 },
      '0.4.0': { tables: 44, indexes: 165, foreignKeys: 44 },
      '0.5.0': { tables: 47, indexes: 176, foreignKeys: 44 },
    });
  });

  test('each version comes back exactly when it is reverted and applied again', async () => {
    const db = await emptyDatabase();
    const before = new Map<string, Map<string, string>>();
    for (const version of versions) {
      await runVersion(db, version);
      before.set(version, await readStructure(db));
    }

    for (const version of [...versions].reverse()) {
      assert.deepEqual(await readWithoutVersionTables(db, version), trim(before, version));
      await runVersion(db, version, 'down');
    }
    assert.deepEqual(
      [...(await readStructure(db)).keys()],
      ['migration_history', 'schema_version'],
    );

    await runUpTo(db, '0.5.0');
    assert.deepEqual(await readStructure(db), before.get('0.5.0'));
  });

  test('each migration alone comes back exactly when it is reverted', async () => {
    const db = await emptyDatabase();

    for (const version of versions) {
      const downs = filesOf(version, 'down');
      for (const [at, up] of filesOf(version, 'up').entries()) {
        const before = await readStructure(db);
        await runFile(db, up);
        const applied = await readStructure(db);
        await runFile(db, downs[at]!);
        if (!up.includes('0001_')) assert.deepEqual(await readStructure(db), before, up);
        await runFile(db, up);
        assert.deepEqual(await readStructure(db), applied, up);
      }
    }
  });

  test('every column and table has the collation utf8mb4_unicode_ci, whatever the database has', async () => {
    const name = await server.createDatabase('other_collation', {
      collation: 'utf8mb4_general_ci',
    });
    const db = await server.connect(name);

    await runUpTo(db, '0.5.0');

    const collations = await db.query(`
      SELECT DISTINCT collation_name AS used FROM information_schema.columns
      WHERE table_schema = DATABASE() AND collation_name IS NOT NULL
      UNION SELECT table_collation FROM information_schema.tables WHERE table_schema = DATABASE()`);
    assert.deepEqual(collations, [{ used: 'utf8mb4_unicode_ci' }]);
  });

  test('a column that lost its default can still be left out of an INSERT', async () => {
    const db = await emptyDatabase();
    await runUpTo(db, '0.5.0');

    await db.run("INSERT INTO gsm_skills (name) VALUES ('Übung')");
    await db.run("INSERT INTO gsm_lit_sources (code, name) VALUES ('BDW', 'Buch der Wege')");

    assert.deepEqual(
      await db.one('SELECT game_system, improvable, innate_skill, basis_wert FROM gsm_skills'),
      { game_system: null, improvable: null, innate_skill: null, basis_wert: '0' },
    );
    assert.deepEqual(await db.one('SELECT game_system, is_core, is_active FROM gsm_lit_sources'), {
      game_system: null,
      is_core: null,
      is_active: null,
    });
  });

  test('every migration can be reverted and starts with a sentence on what it does', () => {
    for (const version of versions) {
      const ups = filesOf(version, 'up');
      const downs = filesOf(version, 'down').map((file) => file.replace('.down.sql', '.up.sql'));
      assert.deepEqual(downs, ups);
      for (const file of ups) {
        const text = readFileSync(file, 'utf8');
        assert.match(text, /^-- \p{Lu}.*/u, file);
        assert.match(text, /^--! description: \S/m, file);
      }
    }
  });
});

async function readModel(db: Db): Promise<SchemaModel> {
  const current = await db.one<{ name: string }>('SELECT DATABASE() AS name');
  return readSchema(db, current!.name);
}

async function countObjects(db: Db) {
  const counts = await db.one<{ tables: string; indexes: string; keys: string }>(`
    SELECT
      (SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()) AS tables,
      (SELECT COUNT(DISTINCT table_name, index_name) FROM information_schema.statistics
        WHERE table_schema = DATABASE()) AS indexes,
      (SELECT COUNT(*) FROM information_schema.referential_constraints
        WHERE constraint_schema = DATABASE()) AS \`keys\``);
  return {
    tables: Number(counts?.tables),
    indexes: Number(counts?.indexes),
    foreignKeys: Number(counts?.keys),
  };
}

const versionTables = ['schema_version', 'migration_history'];

// The version tables come with 0.4.0 and stay when it is reverted: the revert is recorded in them.
async function readWithoutVersionTables(db: Db, version: string): Promise<Map<string, string>> {
  return trim(new Map([[version, await readStructure(db)]]), version);
}

function trim(structures: ReadonlyMap<string, Map<string, string>>, version: string) {
  const kept = [...structures.get(version)!].filter(([table]) => !versionTables.includes(table));
  return new Map(kept);
}
