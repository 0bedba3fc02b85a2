/** Keeps the application out while the database changes (DESIGN §5 Fence), and lets it in again. */
import { closeFence, foreignSessions, listAccounts, openFence } from '../database/fence.ts';
import type { Hold } from '../database/lock.ts';
import { failPoint } from '../errors/fail-point.ts';
import { type RunRow, readUnfinishedRun, updateRun } from '../history/runs.ts';
import type { RunContext } from './context.ts';
import type { Facts } from './facts.ts';

/**
 * Locks the accounts of FENCE_USERS and ends their sessions. Which accounts, and whether an
 * administrator had locked them already, is committed first: after a crash the next run opens
 * exactly those that this one closed. Needs the lock.
 */
export async function fenceOut(
  context: RunContext,
  hold: Hold,
  runId: string,
  facts: Facts,
): Promise<void> {
  const { config, report, log } = context;
  if (config.fence === 'off') return;
  const able = config.fenceUsers.length > 0 && facts.missingFenceRights.length === 0;
  if (!able) {
    const sessions = await foreignSessions(hold.db, config.database.name);
    const unfenced =
      sessions === 'unknown'
        ? 'the application is not fenced out, and without the PROCESS right its sessions cannot be seen'
        : sessions
            .map(({ user, host }) => `not fenced out: session of ${user} from ${host}`)
            .join('; ');
    if (unfenced !== '') report.warnings.push(unfenced);
    return;
  }
  const accounts = await listAccounts(hold.db, config.fenceUsers);
  const names = accounts.map(({ user, host }) => `'${user}'@'${host}'`).join(', ');
  log.info({ accounts: names }, 'fencing the application out; deploy unfence lets it in again');
  await updateRun(hold, runId, { fencedAccounts: accounts });
  await failPoint('fence.recorded');
  await closeFence(hold.db, accounts);
  await failPoint('fence.closed');
}

/**
 * Unlocks what the open run locked, as `deploy_run` has it: the process that let in need not be the
 * one that closed. Safe to repeat. Needs the lock; must come before the run is closed.
 */
export async function letIn(hold: Hold, run: Pick<RunRow, 'runId'>): Promise<void> {
  const accounts = (await readUnfinishedRun(hold.db, hold.database))?.fencedAccounts ?? [];
  if (accounts.length === 0) return;
  await openFence(hold.db, accounts);
  await updateRun(hold, run.runId, { fencedAccounts: [] });
}
