/**
 * The way back, tried on a private copy *with* the rows: down, then up again. What is then as it was
 * is not lost, because going forward brings it back.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Manifest } from '../backup/manifest.ts';
import { readSequenceStates, readTableList } from '../backup/read-tables.ts';
import { takeBackup } from '../backup/take.ts';
import { type Db, withConnection } from '../database/connect.ts';
import { serverText } from '../database/server-errors.ts';
import { hashTables } from '../database/value-hash.ts';
import { describeCauses } from '../errors/chain.ts';
import { isDeployError } from '../errors/deploy-error.ts';
import { VERSION_TABLES } from '../history/tables.ts';
import type { Migration } from '../migrations/migration.ts';
import type { RunContext } from './context.ts';
import type { Facts } from './facts.ts';
import { readCode } from './loss.ts';
import { applyOnCopy, type Taken, takeBackMeasured } from './measure.ts';

export type Rehearsal = {
  /** What the down files took away on the copy. */
  readonly taken: readonly Taken[];
  /** Tables and sequences that the database has, in lower case. */
  readonly live: ReadonlySet<string>;
  /**
   * Those that are not as before after going forward again, in lower case, with the number of rows that
   * they have less. Null when going forward again failed.
   */
  readonly changed: ReadonlyMap<string, number> | null;
  /** Why going forward again failed; null when it did not. */
  readonly failure: string | null;
  /** The value hash of each table of the copy, as it was taken. */
  readonly hashes: ReadonlyMap<string, string>;
};

/**
 * Tries the way back and forth. Costs a backup and its restore; changes nothing. The version tables
 * do not count: they tell of the way itself.
 *
 * @throws DeployError `MIGRATION_UNSOUND` when a down file fails on the rows; those of a backup
 */
export async function rehearse(
  context: RunContext,
  facts: Facts,
  migrations: readonly Migration[],
): Promise<Rehearsal> {
  const { config, log } = context;
  const database = config.database.name;
  const scratch = await context.scratch.get(facts.server.variables);
  const dir = await mkdtemp(path.join(scratch.dir, 'copy-'));
  try {
    // Taking a backup loads it into the scratch server to prove it: that is the copy.
    const { manifest } = await takeBackup({
      ...{ address: config.database, database, dir, scratch, scratchDir: config.scratchDir, log },
      ...{ scratchVariables: facts.server.variables, schemaVersion: null, migrationNumber: null },
      ...{ runId: context.report.run_id, reason: 'rehearsal', signal: context.stop },
    });
    return await withConnection(scratch.address, { database }, async (db) => {
      const { collation } = facts.server.database;
      const names = [...manifest.tables, ...manifest.sequences].map(({ name }) => name);
      const live = new Set(names.map((name) => name.toLowerCase()));
      const code = await readCode(db, migrations);
      const taken: Taken[] = [];
      for (const migration of migrations)
        taken.push(...(await takeBackMeasured({ db, code, collation, live }, migration)));
      const failure = await goForward(db, migrations.toReversed(), collation);
      const changed = failure === null ? await findChanged(db, database, manifest) : null;
      return { taken, live, changed, failure, hashes: hashesOf(manifest) };
    });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** The value hash of each table of a set. Pure. */
export function hashesOf({ tables }: Pick<Manifest, 'tables'>): ReadonlyMap<string, string> {
  return new Map(tables.map(({ name, rows, hash }) => [name, `${rows} ${hash}`]));
}

/** That going forward again fails is no reason not to go back: only nothing is proven by it. */
async function goForward(
  db: Db,
  migrations: readonly Migration[],
  collation: string,
): Promise<string | null> {
  for (const migration of migrations) {
    try {
      await applyOnCopy(db, migration, collation);
    } catch (error) {
      if (!isDeployError(error, 'MIGRATION_UNSOUND')) throw error;
      const why = describeCauses(error, serverText) ?? '';
      return `migration ${migration.number} ${migration.name} (${error.where}): ${why}`;
    }
  }
  return null;
}

async function findChanged(
  db: Db,
  database: string,
  { tables, sequences, format }: Manifest,
): Promise<ReadonlyMap<string, number>> {
  const list = await readTableList(db, database);
  const present = new Set(list.tables.map(({ name }) => name));
  const mine = tables.filter(({ name }) => !VERSION_TABLES.some((own) => own === name));
  const names = mine.map(({ name }) => name).filter((name) => present.has(name));
  const hashed = await hashTables(db, database, names, { format });
  const changed = new Map<string, number>();
  for (const { name, hash, rows } of mine) {
    const now = hashed.get(name);
    if (now?.hash !== hash || now.rows !== rows)
      changed.set(name.toLowerCase(), rows - (now?.rows ?? 0));
  }
  const left = new Set(list.sequences);
  for (const { name, state } of sequences) {
    const [now] = left.has(name) ? await readSequenceStates(db, database, [name]) : [];
    if (!isDeepStrictEqual({ ...now?.state }, { ...state })) changed.set(name.toLowerCase(), 0);
  }
  return changed;
}
