import { isConnectionLost, isQueryInterrupted } from '../database/server-errors.ts';
import { DeployError, isDeployError } from '../errors/deploy-error.ts';
import type { RunContext } from './context.ts';

/**
 * What failed because the process was told to stop is called so, whatever the failing step called
 * it: what was cut off says nothing about the step. Everything else stays as it is.
 */
export function asInterrupted({ stop }: Pick<RunContext, 'stop'>, error: unknown): unknown {
  const wasCut = isConnectionLost(error) || isQueryInterrupted(error) || isDeployError(error);
  if (!stop.aborted || !wasCut || isDeployError(error, 'INTERRUPTED')) return error;
  return new DeployError('INTERRUPTED', 'the run was told to stop', { cause: error });
}
