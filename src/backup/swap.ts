import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from '../database/connect.ts';
import { quoteNameText } from '../database/identifier.ts';
import { isConnectionLost, isLockWaitTimeout, serverText } from '../database/server-errors.ts';
import { DeployError, isDeployError } from '../errors/deploy-error.ts';
import { failPoint } from '../errors/fail-point.ts';
import { runSection } from './load.ts';
import { readEvents, readTriggers } from './read-objects.ts';
import { readSchemaDefaults, readTableList, schemaAttributes } from './read-tables.ts';
import { type RestoreContext, withWorker } from './restore-context.ts';
import type { RestoreState } from './restore-state.ts';
import { unstage } from './stage.ts';

export type Swapping = Extract<RestoreState, { phase: 'swapping' }>;

/** What must be known of the live schema before its triggers and events are dropped. Reads only. */
export async function readBeforeSwap(
  context: RestoreContext,
  placeholders: readonly string[],
): Promise<Swapping> {
  const { database, set } = context;
  return withWorker(context, database, async (db) => {
    const defaults = (await readSchemaDefaults(db, database))!;
    return {
      phase: 'swapping',
      set: set.name,
      placeholders,
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
 *   are then made again and the live schema is as before.
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
      next: ['end the sessions that use the tables, then run the same command again'],
    });
  }
}

/** Whether the RENAME took effect is a fact of the server: it moves all tables or none. */
async function hasSwapped({ hold, stg, old }: RestoreContext, state: Swapping): Promise<boolean> {
  if (state.hadTables) return (await allTables(hold.db, old)).length > 0;
  return (await allTables(hold.db, stg)).length === 0;
}

/** DATA LOSS: triggers and events of the live schema; their definitions are in the saved state. */
async function dropCode(context: RestoreContext): Promise<void> {
  const { hold, database } = context;
  await withWorker(context, database, async (db) => {
    const defaults = (await readSchemaDefaults(db, database))!;
    await hold.assertHeld();
    for (const { key } of [
      ...(await readEvents(db, database, defaults)),
      ...(await readTriggers(db, database, defaults)),
    ]) {
      const [kind, name] = splitKey(key);
      await db.run(`DROP ${kind} IF EXISTS ${quoteNameText(name)}`);
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
  const deadline = performance.now() + swapWaitMs;
  for (let attempt = 1; ; attempt++) {
    const moves = [
      ...moveAll(await allTables(hold.db, database), database, old),
      ...moveAll(await allTables(hold.db, stg), stg, database),
    ];
    if (moves.length === 0) return;
    await hold.assertHeld();
    try {
      // While it waits, others wait for it, also for tables that are free: so it waits briefly.
      await hold.db.run(
        `SET STATEMENT lock_wait_timeout=1, foreign_key_checks=0 FOR RENAME TABLE ${moves.join(', ')}`,
      );
      return;
    } catch (error) {
      if (!isLockWaitTimeout(error) || performance.now() > deadline) throw error;
      log.info({ attempt, reason: serverText(error) }, 'the tables are in use: trying again');
    }
    await sleep(200);
  }
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

/** Brings the live schema back to what it was before the swap was tried. */
async function giveUp(context: RestoreContext, state: Swapping): Promise<void> {
  const { database, hold, save, set } = context;
  await dropCode(context);
  await withWorker(context, database, async (db) => {
    await hold.assertHeld();
    for (const section of [...state.triggers, ...state.events]) {
      await runSection(db, section, 'RESTORE_FAILED');
    }
  });
  await save({ phase: 'staging', set: set.name, placeholders: state.placeholders });
  await unstage(context, state.placeholders);
}
