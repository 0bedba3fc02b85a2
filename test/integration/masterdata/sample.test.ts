import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { Db } from '../../../src/database/connect.ts';
import { readEntities } from '../../../src/masterdata/entities.ts';
import { exportMasterdata } from '../../../src/masterdata/export.ts';
import { checkMasterdata, diffMasterdata } from '../../../src/masterdata/sync.ts';
import {
  makeDir,
  makeSchema,
  masterdataDir,
  readSet,
  summarise,
  syncAndCommit,
} from '../../support/masterdata.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });

async function freshDatabase(): Promise<Db> {
  const db = await server.connect(await server.createDatabase());
  await makeSchema(db);
  return db;
}

async function readFiles(dir: string): Promise<Record<string, string>> {
  const names = (await readdir(dir)).filter((name) => !/^entities|\.(ts|md)$/.test(name));
  const texts = await Promise.all(names.map((name) => readFile(join(dir, name), 'utf8')));
  return Object.fromEntries(names.map((name, at) => [name, texts[at]!]));
}

const meta = { backendVersion: '0.2.2', dbVersion: '0.5.0', gameSystem: 'midgard' };
const timestamp = '2026-02-03T00:00:00.000Z';

describe('the shipped master data', () => {
  test('fills every table of a fresh installation', async () => {
    const db = await freshDatabase();
    const set = await readSet(masterdataDir);
    await checkMasterdata(db, set);

    const report = await syncAndCommit(db, set);

    assert.equal(report.entities.length, 24);
    for (const { entity, table, inserted } of report.entities) {
      assert.ok(inserted > 0, entity);
      const row = await db.one<{ n: string }>(`SELECT COUNT(*) AS n FROM \`${table}\``);
      assert.equal(Number(row?.n), inserted, table);
    }
    const costs = await db.query(`SELECT character_class, skill_category, ep_per_te
      FROM learning_class_category_ep_costs AS cost
      JOIN gsm_character_classes AS class ON class.id = character_class_id AND class.code = character_class
      JOIN learning_skill_categories AS category
        ON category.id = skill_category_id AND category.name = skill_category`);
    assert.equal(costs.length, 16, 'copies are those of the ids');
  });

  test('is exported as the same files again, byte by byte', async (t) => {
    const db = await freshDatabase();
    const entities = await readEntities(masterdataDir);
    await syncAndCommit(db, await readSet(masterdataDir));
    const dir = await makeDir(t);

    await exportMasterdata(db, entities, dir, { ...meta, timestamp });

    assert.deepEqual(await readFiles(dir), await readFiles(masterdataDir));
  });

  test('is not written a second time: nothing differs', async () => {
    const db = await freshDatabase();
    const set = await readSet(masterdataDir);
    await syncAndCommit(db, set);

    assert.deepEqual(summarise(await diffMasterdata(db, set)), []);
    assert.deepEqual(summarise(await syncAndCommit(db, set)), []);
  });
});
