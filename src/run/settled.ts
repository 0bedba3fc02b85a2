import { isConnectionLost, toDeployError } from '../database/server-errors.ts';
import type { ErrorCode } from '../errors/catalogue.ts';
import { isDeployError } from '../errors/deploy-error.ts';
import { exitCodeOf } from '../errors/render.ts';
import type { ReportState } from './report.ts';

/** How a failed run ended: where the database is now, and the exit code that follows from it. */
export type Settlement = {
  readonly exitCode: number;
  readonly state: ReportState;
  /** One sentence for people, e.g. `bamort is at 0.4.0, as before this run: restored from … and compared`. */
  readonly statement: string;
};

/**
 * A failure together with where it left the database. The failure itself is the `cause`: whoever
 * prints shows that one, with this exit code.
 */
export class SettledError extends Error {
  readonly settlement: Settlement;

  constructor(cause: unknown, settlement: Settlement) {
    super('the run failed', { cause });
    this.name = 'SettledError';
    this.settlement = settlement;
  }
}

/** True when the server, the lock or the wish to stop ended the run: the next `up` goes on with it. */
export function isCutOff(error: unknown): boolean {
  return CUT_OFF.some((code) => isDeployError(error, code)) || isConnectionLost(error);
}

/** What says nothing about the plan of the run: the next one may well succeed with it. */
export const CUT_OFF: readonly ErrorCode[] = ['INTERRUPTED', 'CONNECTION_LOST', 'LOCK_LOST'];

/** The settlement of a failure before any change. */
export function untouched(error: unknown, database: string, version: string | null): Settlement {
  return {
    exitCode: exitCodeBeforeChanges(error),
    state: 'as_before',
    statement: `${database} is at ${version ?? 'no version'}, not touched`,
  };
}

/**
 * Codes of the 20s name an outcome; without a change the failure is one of the tool or the set.
 * The driver's own error of a broken connection is no bug of this tool, either.
 */
function exitCodeBeforeChanges(error: unknown): number {
  const code = exitCodeOf(isConnectionLost(error) ? toDeployError(error, 'cut off') : error);
  return code >= 20 ? 14 : code;
}
