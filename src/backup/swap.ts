import type { Db } from '../database/connect.ts';
import { quoteNameText } from '../database/identifier.ts';
import { isConnectionLost } from '../database/server-errors.ts';
import { untilFree, waitBriefly } from '../database/until-free.ts';
import { DeployError, isDeployError } from '../errors/deploy-error.ts';
import { failPoint } from '../errors/fail-point.ts';
import { chooseAside, readNames, renameWithin } from './borrowed-names.ts';
import { runSection } from './load.ts';
import { putEvent } from './put-events.ts';
import { readEvents, readTriggers } from './read-objects.ts';
import { readSchemaDefaults, readTableList, schemaAttributes } from './read-tables.ts';
import { type RestoreContext, withWorker } from './restore-context.ts';
import type { RestoreState } from './restore-state.ts';
import { unstage } from './stage.ts';

/** While the RENAME waits for one table, everybody waits for those that it has already. */
const RENAME_WAIT_SECONDS = 1;

export type Swapping = Extract<RestoreState, { phase: 'swapping' }>;

/** What must be known of the live schema before its triggers and events are dropped. Reads only. */
export async function readBeforeSwap(context: RestoreContext): Promise<Swapping> {
  const { database, set } = context;
  return withWorker(context, database, async (db) => {
    const defaults = (await readSchemaDefaults(db, database))!;
    return {
      phase: 'swapping',
      set: set.name,
      hadTables: (await allTables(db, database)).length > 0,
      triggers: await readTriggers(db, database, defaults),
      events: await readEvents(db, database, defaults),
    };
  });
}

/**
 * Brings the staged tables in and the live ones out with one RENAME TABLE, which is atomic. The
 * triggers must be dropped before it, each with a commit of its own: from the first of them on
 * the restore goes forward, also in the next run. Idempotent.
 *
 * @throws DeployError `RESTORE_FAILED` when the tables are in use for too long; triggers and events
 *   are then made again and the live schema is as before. `PUT_BACK_FAILED` when not even that was
 *   possible: the tables are the old ones, triggers are missing, and the next run goes forward.
 */
export async function swap(context: RestoreContext, state: Swapping): Promise<void> {
  const { hold, old, set } = context;
  if (await hasSwapped(context, state)) return;
  try {
    const attributes = schemaAttributes(set.manifest);
    await hold.db.run(`CREATE DATABASE IF NOT EXISTS ${quoteNameText(old)} ${attributes}`);
    await dropCode(context);
    await failPoint('restore.triggers-dropped');
    await renameAll(context);
  } catch (error) {
    if (isConnectionLost(error) || isDeployError(error, 'LOCK_LOST')) throw error;
    if (await hasSwapped(context, state)) return;
    await giveUp(context, state);
    throw new DeployError('RESTORE_FAILED', 'the restored tables could not be swapped in', {
      cause: error,
      where: context.database,
      next: (isDeployError(error) ? error.next : undefined) ?? ['run the same command again'],
    });
  }
}

/**
 * Whether the RENAME took effect is a fact of the server: it moves all tables or none. While it runs,
 * others see it half-way (tried on 10.11), so this may be asked only when none is running: the
 * RENAME is on the working connection, and that frees the lock only after the statement has ended.
 */
export async function hasSwapped(
  { hold, stg, old }: RestoreContext,
  state: Swapping,
): Promise<boolean> {
  if (state.hadTables) return (await allTables(hold.db, old)).length > 0;
  return (await allTables(hold.db, stg)).length === 0;
}

/**
 * DATA LOSS: triggers and events of the live schema; their definitions are in the saved state.
 *
 * Of the triggers of one table the last goes first, so that those which are left whenever this
 * ends are the first ones, and making the others again gives back the old order.
 */
async function dropCode(context: RestoreContext): Promise<void> {
  const { hold, database, log, swapWaitMs } = context;
  await withWorker(context, database, async (db) => {
    const defaults = (await readSchemaDefaults(db, database))!;
    const triggers = await readTriggers(db, database, defaults);
    const events = await readEvents(db, database, defaults);
    await waitBriefly(db);
    for (const { key } of [...triggers.reverse(), ...events]) {
      await hold.assertHeld();
      const [kind, name] = splitKey(key);
      const drop = `DROP ${kind} IF EXISTS ${quoteNameText(name)}`;
      await untilFree({ waitMs: swapWaitMs, log, db, database }, () => db.run(drop));
    }
  });
}

/** `trigger:x` → `TRIGGER`, `x`. */
function splitKey(key: string | null): readonly [kind: string, name: string] {
  const at = (key ?? '').indexOf(':');
  return [(key ?? '').slice(0, at).toUpperCase(), (key ?? '').slice(at + 1)];
}

async function renameAll(context: RestoreContext): Promise<void> {
  const { hold, database, stg, old, log, swapWaitMs } = context;
  await untilFree({ waitMs: swapWaitMs, log, db: hold.db, database }, async () => {
    const staged = await allTables(hold.db, stg);
    const moves = [
      ...(await moveViewsAside(context, staged)),
      ...moveAll(await allTables(hold.db, database), database, old),
      ...moveAll(staged, stg, database),
    ];
    if (moves.length === 0) return;
    await hold.assertHeld();
    const settings = `lock_wait_timeout=${RENAME_WAIT_SECONDS}, foreign_key_checks=0`;
    await hold.db.run(`SET STATEMENT ${settings} FOR RENAME TABLE ${moves.join(', ')}`);
  });
}

/**
 * A view cannot go to another schema, and stands in the way where a table or sequence of the set has its
 * name: it gets another name in the same statement, and goes with the views that the set does not have.
 */
async function moveViewsAside(
  { hold, database }: RestoreContext,
  wanted: readonly string[],
): Promise<string[]> {
  const names = await readNames(hold.db, database);
  const views = wanted.filter((name) => names.get(name) === 'VIEW');
  const taken = new Set([...names.keys(), ...wanted]);
  return chooseAside(views, taken).map(({ name, as }) => renameWithin(database, name, as));
}

function moveAll(names: readonly string[], from: string, to: string): string[] {
  return names.map((name) => {
    const table = quoteNameText(name);
    return `${quoteNameText(from)}.${table} TO ${quoteNameText(to)}.${table}`;
  });
}

/** Every table and sequence, also those that the backup does not know: one left out would refer to the old ones. */
async function allTables(db: Db, schema: string): Promise<string[]> {
  const { tables, sequences } = await readTableList(db, schema);
  return [...tables.map(({ name }) => name), ...sequences];
}

/** Brings the live schema back to what it was before the swap was tried. Idempotent. */
export async function giveUp(context: RestoreContext, state: Swapping): Promise<void> {
  const { database, hold, save, set, log, swapWaitMs } = context;
  await withWorker(context, database, async (db) => {
    const defaults = (await readSchemaDefaults(db, database))!;
    const left = [
      ...(await readTriggers(db, database, defaults)),
      ...(await readEvents(db, database, defaults)),
    ].map(({ key }) => key);
    await waitBriefly(db);
    for (const section of [...state.triggers, ...state.events]) {
      if (left.includes(section.key)) continue;
      await hold.assertHeld();
      await untilFree({ waitMs: swapWaitMs, log, db, database }, async () => {
        if (section.key?.startsWith('event:') !== true)
          return runSection(db, section, 'PUT_BACK_FAILED');
        await putEvent({ db, database, log }, section);
      });
    }
  });
  await save({ phase: 'staging', set: set.name, placeholders: [] });
  await unstage(context, { placeholders: [] });
}
