/** Believable rows for Bamort's schema: the shape and the oddities of the real data (facts §1.3). */
import type { Db } from '../../../src/database/connect.ts';
import { makeCharacterRows } from './character-rows.ts';
import { makeCostRows } from './cost-rows.ts';
import { makeGoodRows } from './good-rows.ts';
import { makeRandom } from './random.ts';
import { makeRuleRows } from './rule-rows.ts';
import { insertRows, type Row, type TableRows } from './table-rows.ts';
import { makeImages } from './texts.ts';
import { makeUserRows } from './user-rows.ts';
import { makeNewTableRows, toVersion040 } from './version-040.ts';

export type FillOptions = {
  /** Default 13, as many as the real database had. */
  readonly characters?: number;
  /** Rows are the same for the same seed. Default 1. */
  readonly seed?: number;
  /** About how large a picture is, before base64. Six of 13 characters have one. Default 3000. */
  readonly imageBytes?: number;
};

/** Rows inserted into each table. Tables without rows are left out. */
export type Counts = ReadonlyMap<string, number>;

// Characters that are made and inserted together: bounds the memory that pictures take.
const BLOCK = 50;

/**
 * Fills an empty database of version 0.3.0. Ids have gaps, and some AUTO_INCREMENT counters are far
 * above the highest id, as after deletes.
 */
export async function fillLegacy(db: Db, options: FillOptions = {}): Promise<Counts> {
  const counts = new Map<string, number>();
  await fill(db, options, counts, (rows) => rows);
  await db.run('ALTER TABLE learning_skill_improvement_costs AUTO_INCREMENT = 1610');
  return counts;
}

/**
 * Fills an empty database of version 0.4.0 as backend 0.1.37 leaves it: new names, new columns, and
 * an empty learning_skill_improvement_costs whose AUTO_INCREMENT tells that it had rows. The version
 * tables stay empty: see `addDumpVersionRow`.
 */
export async function fillVersion040(db: Db, options: FillOptions = {}): Promise<Counts> {
  const counts = new Map<string, number>();
  await fill(db, options, counts, toVersion040);
  await insertRows(db, makeNewTableRows(makeRandom(options.seed ?? 1)), counts);
  await db.run('ALTER TABLE learning_skill_improvement_costs AUTO_INCREMENT = 610');
  return counts;
}

/** Adds the one row that the real dump has in schema_version: written by hand, applied_at 1. */
export async function addDumpVersionRow(db: Db): Promise<void> {
  await db.run(`INSERT INTO schema_version (id, version, migration_number, applied_at, backend_version)
    VALUES (1, '0.4.0', 1, 1, '0.1.37')`);
}

async function fill(
  db: Db,
  options: FillOptions,
  counts: Map<string, number>,
  shape: (rows: readonly TableRows[]) => readonly TableRows[],
): Promise<void> {
  const { characters = 13, seed = 1, imageBytes = 3000 } = options;
  const random = makeRandom(seed);
  const users = Math.max(5, Math.ceil(characters / 8));
  const rules = makeRuleRows(random);
  const rowsOf = (table: string): readonly Row[] =>
    rules.find((entry) => entry.table === table)?.rows ?? [];
  const source = {
    random,
    users,
    image: makeImages(random, imageBytes),
    skills: rowsOf('gsm_skills'),
    weaponSkills: rowsOf('gsm_weaponskills'),
    spells: rowsOf('gsm_spells'),
  };
  const fixed = [
    ...rules,
    ...makeGoodRows(random, source.weaponSkills),
    ...makeCostRows(random, source.skills),
    ...makeUserRows(random, users, characters),
  ];

  await db.run('START TRANSACTION');
  await insertRows(db, shape(fixed), counts);
  for (let from = 0; from < characters; from += BLOCK) {
    const block = makeCharacterRows(source, from, Math.min(from + BLOCK, characters));
    await insertRows(db, shape(block), counts);
  }
  await db.run('COMMIT');
}
