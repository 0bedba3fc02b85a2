/**
 * Rows of others that hang on master data by ON DELETE CASCADE, or by an id without a key: what
 * REPLACE and "delete, then insert again" do to them, and that a sync does not.
 */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Db } from '../../../src/database/connect.ts';
import { inTransaction } from '../../../src/database/transaction.ts';
import {
  changedSample,
  type Files,
  makeSchema,
  masterdataDir,
  readSet,
  syncAndCommit,
} from '../../support/masterdata.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });
const stop = new Error('stop');

/** What the original's import, or a REPLACE, would do to a changed row. */
type Cascade = {
  readonly name: string;
  readonly parent: string;
  readonly children: string;
  /** The row that is changed, written anew with the same id. */
  readonly replace: string;
  readonly change: (files: Files) => void;
};

const cascades: readonly Cascade[] = [
  {
    name: 'a skill and its costs of learning',
    parent: 'gsm_skills',
    children: 'learning_skill_category_difficulties',
    replace: "REPLACE INTO gsm_skills SELECT * FROM gsm_skills WHERE name = 'Boote flicken'",
    change: (files) => {
      files['skills']![0]!['initialwert'] = 9;
    },
  },
  {
    name: 'a skill and the classes that it is typical of',
    parent: 'gsm_skills',
    children: 'gsm_cc_class_typical_skills',
    replace: 'REPLACE INTO gsm_skills SELECT * FROM gsm_skills',
    change: (files) => {
      for (const skill of files['skills']!) skill['initialwert'] = 9;
    },
  },
  {
    name: 'a spell and the classes that it is typical of',
    parent: 'gsm_spells',
    children: 'gsm_cc_class_typical_spells',
    replace: 'REPLACE INTO gsm_spells SELECT * FROM gsm_spells',
    change: (files) => {
      for (const spell of files['spells']!) spell['bonus'] = 7;
    },
  },
  {
    name: 'a cost of learning and the costs of improving',
    parent: 'learning_skill_category_difficulties',
    children: 'learning_skill_improvement_costs',
    replace: `REPLACE INTO learning_skill_category_difficulties
      SELECT * FROM learning_skill_category_difficulties`,
    change: (files) => {
      for (const row of files['skill_category_difficulties']!) row['learn_cost'] = 77;
    },
  },
];

async function filledDatabase(): Promise<Db> {
  const db = await server.connect(await server.createDatabase());
  await makeSchema(db);
  await syncAndCommit(db, await readSet(masterdataDir));
  // No longer an entity, so that nothing brings its rows back: 609 of them were lost in production.
  await db.run(`INSERT INTO learning_skill_improvement_costs
    (skill_category_difficulty_id, current_level, te_required)
    SELECT id, 10, 5 FROM learning_skill_category_difficulties`);
  return db;
}

const rowsOf = (db: Db, table: string) => db.query(`SELECT * FROM \`${table}\` ORDER BY id`);

describe('rows that go with a row of the master data', () => {
  for (const { name, parent, children, replace, change } of cascades) {
    test(`${name}: REPLACE loses rows, a sync keeps each with its id`, async (t) => {
      const db = await filledDatabase();
      const [parents, before] = [await rowsOf(db, parent), await rowsOf(db, children)];
      assert.ok(before.length > 0, 'there is something to lose');

      const replaced = inTransaction(db, async () => {
        await db.run(replace);
        assert.ok((await rowsOf(db, children)).length < before.length, 'REPLACE takes rows');
        throw stop;
      });
      await assert.rejects(replaced, stop);

      const { entities } = await syncAndCommit(db, await changedSample(t, change));

      assert.ok(entities.some(({ table, updated }) => table === parent && updated > 0));
      assert.deepEqual(await rowsOf(db, children), before);
      const ids = (rows: readonly object[]) => rows.map((row) => (row as { id: string }).id);
      assert.deepEqual(ids(await rowsOf(db, parent)), ids(parents));
    });
  }
});
