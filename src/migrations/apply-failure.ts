/** What an action that failed is called. */

import { isConnectionLost, isQueryInterrupted } from '../database/server-errors.ts';
import { DeployError, isDeployError } from '../errors/deploy-error.ts';
import type { Action } from './actions.ts';
import type { ApplyOptions } from './apply.ts';
import { correctDown } from './correct-down.ts';
import { showNumber } from './install-number.ts';
import type { ClassifiedStatement, Migration } from './migration.ts';

/**
 * The failure that an error of an action stands for: `LOCK_LOST`, `INTERRUPTED`, `CONNECTION_LOST`,
 * `TABLES_IN_USE`, `RECORD_FAILED`, or `MIGRATION_FAILED` with file and line. Pure.
 */
export function explainFailure(
  error: unknown,
  failed: {
    readonly options: Pick<ApplyOptions, 'hold' | 'stop'>;
    readonly action: Action;
    readonly migration: Migration;
    readonly statement: ClassifiedStatement | undefined;
  },
): unknown {
  const { options, action, migration, statement } = failed;
  if (isDeployError(error, 'LOCK_LOST') || isDeployError(error, 'INTERRUPTED')) return error;
  if (options.stop.aborted && isQueryInterrupted(error)) {
    return new DeployError('INTERRUPTED', 'the run was told to stop and its statement was ended', {
      cause: error,
    });
  }
  const title = `migration ${showNumber(migration.number)} ${migration.name}`;
  if (isConnectionLost(error) || options.hold.signal.aborted) {
    return new DeployError('CONNECTION_LOST', `the connection broke while ${title} ran`, {
      cause: error,
    });
  }
  if (action.kind === 'record') {
    return new DeployError('RECORD_FAILED', `${title} could not be recorded in the history`, {
      cause: error,
    });
  }
  const script = action.direction === 'up' ? migration.up : migration.down;
  const place =
    statement === undefined
      ? 'in its data function'
      : `on statement ${action.statement} of ${action.of}`;
  const inUse = isDeployError(error, 'TABLES_IN_USE');
  const next =
    action.direction === 'down'
      ? correctDown(migration.number, statement === undefined ? 'data function' : 'file')
      : undefined;
  const nextOf = inUse ? error.next : next;
  return new DeployError(inUse ? error.code : 'MIGRATION_FAILED', `${title} failed ${place}`, {
    cause: error,
    ...(nextOf === undefined ? {} : { next: nextOf }),
    where: statement === undefined ? migration.data!.path : `${script!.path}:${statement.line}`,
    facts: {
      migration: migration.number,
      version: migration.version,
      statement: action.statement,
      of: action.of,
    },
  });
}
