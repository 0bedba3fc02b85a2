import { heldNames } from '../database/events.ts';
import { breakLock, readLock } from '../database/lock.ts';
import { waitForServer } from '../database/wait.ts';
import { readUnfinishedRun } from '../history/read-runs.ts';
import type { RunContext } from '../run/context.ts';
import { describeFence, isFenced, letIn } from '../run/fence.ts';
import { withLock } from '../run/locked.ts';
import { confirm } from './confirm.ts';
import { type CommonOptions, inspect, type World } from './invoke.ts';

type Flags = CommonOptions & { readonly yes?: boolean };

function open({ config, log, stop }: RunContext) {
  return waitForServer(config.database, {
    waitMs: config.dbWaitMs,
    log,
    signal: stop,
    database: config.database.name,
  });
}

/** `deploy unlock`: shows the holder of the deploy lock and, confirmed, ends its connections. */
export async function unlockCommand(world: World, flags: Flags): Promise<number> {
  return inspect(world, flags, async (context) => {
    const database = context.config.database.name;
    const db = await open(context);
    try {
      const lock = await readLock(db, database);
      if (lock === null || !lock.held) {
        return {
          value: { held: false, freed: null },
          text: `the deploy lock of ${database} is free\n`,
          exitCode: 0,
        };
      }
      const holder = `${lock.owner} on ${lock.host}, pid ${lock.pid}, connection ${lock.connectionId}, since ${lock.acquiredAt}`;
      const lease = lock.expired
        ? 'its lease has expired'
        : `its lease is alive until ${lock.expiresAt}`;
      await confirm(
        world,
        `The deploy lock of ${database} is held by ${holder}; ${lease}.\nEnding it cuts that run off.`,
        flags,
      );
      await breakLock(db, lock);
      const text = `freed the deploy lock of ${database}, which was held by ${holder}\nnext: deploy up finishes that run or puts the database back\n`;
      return { value: { held: false, freed: lock }, text, exitCode: 0 };
    } finally {
      await db.close();
    }
  });
}

/** `deploy unfence`: unlocks the accounts and releases the events that an unfinished run had fenced. */
export async function unfenceCommand(world: World, flags: Flags): Promise<number> {
  return inspect(world, flags, async (context) => {
    const database = context.config.database.name;
    const db = await open(context);
    try {
      const run = await readUnfinishedRun(db, database);
      if (run === null || !isFenced(run)) {
        return {
          value: { accounts: [], events: [] },
          text: `no account of ${database} is fenced out by deploy\n`,
          exitCode: 0,
        };
      }
      const names = describeFence(run);
      await confirm(
        world,
        `Run ${run.runId} is ${run.state}: the database may be half-way. Let ${names} in?`,
        flags,
      );
      await withLock(context, (hold) => letIn(context, hold, run));
      const { fencedAccounts: accounts, disabledEvents } = run;
      const value = { accounts, events: heldNames(disabledEvents) };
      return { value, text: `let in: ${names}\n`, exitCode: 0 };
    } finally {
      await db.close();
    }
  });
}
