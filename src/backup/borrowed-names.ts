/** Names of the live schema that a restore needs for a while, and what has them. */
import sql from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { qualified, quoteNameText } from '../database/identifier.ts';
import { untilFree, waitBriefly } from '../database/until-free.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { failPoint } from '../errors/fail-point.ts';
import type { RestoreContext } from './restore-context.ts';

/** A table or view of the live schema that has another name, because the set needs its own. */
export type Aside = { readonly name: string; readonly as: string };

/** What of the live schema is not as it was while tables are staged. */
export type Borrowed = {
  /** Sequences made in the live schema, where there were none of that name. */
  readonly placeholders: readonly string[];
  /** What has another name as long as the placeholders are there. */
  readonly aside?: readonly Aside[];
};

/**
 * Makes placeholders of the set's sequences in the live schema, where it has none of that name.
 * The state is saved before. Idempotent together with `giveBackNames`.
 *
 * @throws DeployError `RESTORE_FAILED` when something else has such a name and may not be moved aside
 */
export async function borrowNames(context: RestoreContext): Promise<Borrowed> {
  const { hold, database, set, save, mayMoveAside } = context;
  const names = await readNames(hold.db, database);
  const wanted = set.manifest.sequences.map(({ name }) => name);
  const taken = wanted.filter((name) => (names.get(name) ?? 'SEQUENCE') !== 'SEQUENCE');
  if (taken.length > 0 && !mayMoveAside) throw namesTaken(database, taken);
  const placeholders = wanted.filter((name) => names.get(name) !== 'SEQUENCE');
  const aside = chooseAside(taken, new Set(names.keys()));
  await save({ phase: 'staging', set: set.name, placeholders, aside });
  for (const { name, as } of aside) await rename(context, name, as);
  await failPoint('restore.moved-aside');
  for (const name of placeholders) {
    await hold.assertHeld();
    await hold.db.run(sql`CREATE SEQUENCE IF NOT EXISTS ${qualified(database, name)}`);
  }
  return { placeholders, aside };
}

/** Drops the placeholders and gives everything the name that it had. Idempotent. */
export async function giveBackNames(
  context: Pick<RestoreContext, 'hold' | 'database' | 'log' | 'swapWaitMs'>,
  { placeholders, aside = [] }: Borrowed,
): Promise<void> {
  const { hold, database } = context;
  for (const name of placeholders) {
    await hold.assertHeld();
    // DATA LOSS: a sequence that this restore made where there was nothing. The server drops
    // nothing where the name is still that of a table or view.
    await hold.db.run(sql`DROP SEQUENCE IF EXISTS ${qualified(database, name)}`);
  }
  await failPoint('restore.placeholders-dropped');
  const names = await readNames(hold.db, database);
  for (const { name, as } of aside) if (names.has(as)) await rename(context, as, name);
}

/** What `information_schema.tables` calls everything that shares the names of tables, by name. */
export async function readNames(db: Db, schema: string): Promise<ReadonlyMap<string, string>> {
  const rows = await db.query<{ name: string; type: string }>(
    sql`SELECT table_name AS name, table_type AS type FROM information_schema.tables
        WHERE table_schema = ${schema}`,
  );
  return new Map(rows.map(({ name, type }) => [name, type]));
}

/** Names that nothing has, for those that stand in the way. Pure. */
export function chooseAside(
  inTheWay: readonly string[],
  taken: ReadonlySet<string>,
): readonly Aside[] {
  const used = new Set(taken);
  return inTheWay.map((name) => {
    let nth = 1;
    while (used.has(`deploy_aside_${nth}`)) nth++;
    used.add(`deploy_aside_${nth}`);
    return { name, as: `deploy_aside_${nth}` };
  });
}

/**
 * `a TO b` of RENAME TABLE. Within one schema a view can be renamed like a table, and a table keeps
 * its triggers.
 */
export function renameWithin(schema: string, from: string, to: string): string {
  const own = quoteNameText(schema);
  return `${own}.${quoteNameText(from)} TO ${own}.${quoteNameText(to)}`;
}

async function rename(
  context: Pick<RestoreContext, 'hold' | 'database' | 'log' | 'swapWaitMs'>,
  from: string,
  to: string,
): Promise<void> {
  const { hold, database, log, swapWaitMs: waitMs } = context;
  await waitBriefly(hold.db);
  await untilFree({ waitMs, log, db: hold.db, database }, async () => {
    await hold.assertHeld();
    await hold.db.run(`RENAME TABLE ${renameWithin(database, from, to)}`);
  });
}

function namesTaken(database: string, taken: readonly string[]): DeployError {
  const what = `tables or views now have the names of sequences: ${taken.join(', ')}`;
  return new DeployError('RESTORE_FAILED', what, {
    where: database,
    next: ['rename these tables or views, then run the same command again'],
  });
}
