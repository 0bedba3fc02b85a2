/** What is said of a run that has begun to change the database and did not end. */
import type { DeployError } from '../errors/deploy-error.ts';
import { exitCodeOf } from '../errors/render.ts';
import { isEndRecorded } from '../history/run-row.ts';
import type { RunRow } from '../history/runs.ts';
import type { RunContext } from './context.ts';
import type { Facts } from './facts.ts';
import { isFenced } from './fence.ts';
import { throwIfRefused } from './refuse.ts';
import { refuseFence } from './refuse-fence.ts';
import { SettledError, type Settlement } from './settled.ts';

/** A run that was cut off: the next `up` ends it. Pure. */
export function cutOff(database: string, run: RunRow): Settlement {
  return { exitCode: 23, state: 'partial', statement: describeHalfWay(database, run) };
}

/** Where the database is, and how the run ends. Pure. */
export function describeHalfWay(database: string, run: RunRow): string {
  if (run.outcome === 'left')
    return `${database} is taken as it is; the next up lets the application in and closes run ${run.runId}${fencedText(run)}`;
  return `${database} is between ${run.from ?? 'no version'} and ${run.to ?? 'no version'}; the next up finishes this run or puts it back (backup set ${run.backupSet})${fencedText(run)}`;
}

/** The fence stays closed where the database is not whole; a person may open it. */
export function fencedText(run: RunRow): string {
  return isFenced(run) ? '; the application is fenced out, deploy unfence lets it in' : '';
}

/**
 * A failure while another run is changing the database, which therefore is not simply as before. A
 * run that has changed nothing yet leaves the failure as it is. Pure.
 */
export function besideRun(error: DeployError, database: string, run: RunRow | null): Error {
  if (run === null || run.state === 'locked') return error;
  const statement = `run ${run.runId} is changing ${database}: ${describeHalfWay(database, run)}`;
  return new SettledError(error, { exitCode: exitCodeOf(error), state: 'partial', statement });
}

/**
 * With FENCE=require nobody goes on with a half-way run while the application could write: neither
 * forward nor back, as a put-back would take with it what it writes. The run stays as it is.
 *
 * @throws SettledError with the exit code of the refusal: nothing was changed now.
 */
export function throwIfNotFenceable(context: RunContext, facts: Facts, run: RunRow): void {
  if (run.state === 'locked' || isEndRecorded(run)) return;
  try {
    throwIfRefused({ refusals: refuseFence(facts, context.config) });
  } catch (error) {
    const statement = describeHalfWay(context.config.database.name, run);
    throw new SettledError(error, { exitCode: exitCodeOf(error), state: 'partial', statement });
  }
}
