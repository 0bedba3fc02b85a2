/** Keeps the application out while the database changes (DESIGN §5 Fence), and lets it in again. */
import {
  heldNames,
  holdEvent,
  listEvents,
  type RecordedEvent,
  releaseEvents,
} from '../database/events.ts';
import {
  closeFence,
  type FencedAccount,
  foreignSessions,
  listAccounts,
  openFence,
} from '../database/fence.ts';
import type { Hold } from '../database/lock.ts';
import { failPoint } from '../errors/fail-point.ts';
import { readUnfinishedRun } from '../history/read-runs.ts';
import { type RunRow, updateRun } from '../history/runs.ts';
import type { RunContext } from './context.ts';
import type { Facts } from './facts.ts';
import { throwIfRefused } from './refuse.ts';
import { fenceWarnings, refuseFence } from './refuse-fence.ts';

/**
 * Locks the accounts of FENCE_USERS and ends their sessions, and keeps the database's events from
 * firing. Which accounts and events, and whether an administrator had locked them already, is
 * committed first: after a crash the next run opens exactly those that this one closed.
 *
 * Also before a run that did not end changes anything more: what is recorded says what is to be
 * opened, not that it is closed. The process may have died before it closed it, and a person may
 * have let the application in meanwhile, to look, say. Safe to repeat. Needs the lock.
 *
 * @param onRecorded told what `deploy_run` has of it, before anything is closed: when the
 *   connection breaks from now on, the row cannot be read to say so
 * @returns what `deploy_run` has of it
 * @throws DeployError `RIGHT_MISSING` also with FENCE=warn for another account's event: to put it
 *   back would need the same right
 */
export async function fenceOut(
  context: RunContext,
  hold: Hold,
  facts: Facts,
  run: RunRow,
  onRecorded: (fenced: Fenced) => void,
): Promise<Fenced> {
  const { config, report, log } = context;
  const recorded = { fencedAccounts: run.fencedAccounts, disabledEvents: run.disabledEvents };
  if (config.fence === 'off') return recorded;
  throwIfRefused({ refusals: refuseFence(facts, config) });
  const able = config.fenceUsers.length > 0 && facts.missingFenceRights.length === 0;
  const events = await listEvents(hold.db, config.database.name);
  const accounts = able ? await listAccounts(hold.db, config.fenceUsers) : [];
  const fenced = addTo(recorded, accounts, events);
  const said = fenceWarnings(facts, config).filter((text) => !report.warnings.includes(text));
  report.warnings.push(...said);
  if (!able) report.warnings.push(...(await describeSessions(context, hold)));
  if (isFenced(fenced)) {
    const names = describeFence(fenced);
    log.info({ fenced: names }, 'fencing the application out; deploy unfence lets it in again');
    await updateRun(hold, run.runId, fenced);
    onRecorded(fenced);
  }
  await failPoint('fence.recorded');
  if (able) await closeFence(hold.db, fenced.fencedAccounts);
  // As they are now: what a migration has dropped or switched off by now stays so.
  const ours = heldNames(fenced.disabledEvents);
  for (const event of events) {
    const isOpen = event.status === 'ENABLED' && ours.includes(event.name);
    if (isOpen) await holdEvent(hold.db, config.database.name, event);
  }
  await failPoint('fence.closed');
  return fenced;
}

/**
 * What is recorded stays: of that alone is known how it was before the run. Only an account that an
 * administrator had locked and has let in since is to be closed, and let in again. Pure.
 */
function addTo(
  { fencedAccounts, disabledEvents }: Fenced,
  accounts: Fenced['fencedAccounts'],
  events: Fenced['disabledEvents'],
): Fenced {
  const isAccount = (one: FencedAccount) => (other: FencedAccount) =>
    one.user === other.user && one.host === other.host;
  const isLetIn = (account: FencedAccount) =>
    accounts.some((now) => isAccount(account)(now) && !now.wasLocked);
  const isNewEvent = ({ name, status }: RecordedEvent) =>
    !disabledEvents.some((event) => event.name === name) &&
    // Held by the run, and under a new name since; or a migration made it so.
    (status === 'ENABLED' || disabledEvents.length === 0);
  return {
    fencedAccounts: [
      ...fencedAccounts.map((account) =>
        account.wasLocked && isLetIn(account) ? { ...account, wasLocked: false } : account,
      ),
      ...accounts.filter((account) => !fencedAccounts.some(isAccount(account))),
    ],
    disabledEvents: [...disabledEvents, ...events.filter(isNewEvent)],
  };
}

/** What a run has closed, with its state before. */
export type Fenced = Pick<RunRow, 'fencedAccounts' | 'disabledEvents'>;

/** Whether there is anything to open again. */
export function isFenced({ fencedAccounts, disabledEvents }: Fenced): boolean {
  return fencedAccounts.length + heldNames(disabledEvents).length > 0;
}

/** What a run has closed, for people: `'app'@'%', event nightly`. */
export function describeFence({ fencedAccounts, disabledEvents }: Fenced): string {
  const names = fencedAccounts.map(({ user, host }) => `'${user}'@'${host}'`);
  return [...names, ...heldNames(disabledEvents).map((name) => `event ${name}`)].join(', ');
}

async function describeSessions({ config }: RunContext, hold: Hold): Promise<string[]> {
  const sessions = await foreignSessions(hold.db, config.database.name);
  if (sessions === 'unknown') {
    return [
      'the application is not fenced out, and without the PROCESS right its sessions cannot be seen',
    ];
  }
  const lines = sessions.map(({ user, host }) => `not fenced out: session of ${user} from ${host}`);
  return lines.length === 0 ? [] : [lines.join('; ')];
}

/**
 * Unlocks the accounts and releases the events that the open run had closed, as `deploy_run` has
 * it: the process that lets in need not be the one that closed. Safe to repeat. Needs the lock;
 * must come before the run is closed.
 */
export async function letIn(
  { log, report }: Pick<RunContext, 'log' | 'report'>,
  hold: Hold,
  { runId }: Pick<RunRow, 'runId'>,
): Promise<void> {
  const run = await readUnfinishedRun(hold.db, hold.database);
  if (run === null || !isFenced(run)) return;
  const missed = await releaseEvents(hold.db, hold.database, run.disabledEvents).finally(() =>
    openFence(hold.db, run.fencedAccounts),
  );
  for (const name of missed) {
    const text = `the event ${name} was due during the run and did not fire: it is left disabled`;
    log.warn(text);
    report.warnings.push(text);
  }
  await updateRun(hold, runId, { fencedAccounts: [], disabledEvents: [] });
}
