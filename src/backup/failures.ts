import { DeployError, isDeployError } from '../errors/deploy-error.ts';

/** Throws why the work is to stop: the signal's reason, or `INTERRUPTED`. Called between steps. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw stopReason(signal);
}

/** The failure that an aborted signal stands for. */
export function stopReason(signal: AbortSignal): DeployError {
  if (signal.reason instanceof DeployError) return signal.reason;
  return new DeployError('INTERRUPTED', 'the run was told to stop');
}

/**
 * What becomes of an error while a backup is taken: rows that cannot be hashed cannot be proven, so
 * it is the backup that failed (exit 14); anything else passes. Pure.
 */
export function explainHashing(error: unknown): unknown {
  if (!isDeployError(error, 'QUERY_FAILED')) return error;
  const { message, where, next } = error;
  return new DeployError('BACKUP_FAILED', message, {
    ...(where === undefined ? {} : { where }),
    ...(next === undefined ? {} : { next }),
  });
}

/** True for an error that the server or its connection threw: it has a number or a code; a bug has none. */
export function isServerError(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof DeployError) return false;
  const { errno, code } = error as { errno?: unknown; code?: unknown };
  return errno !== undefined || code !== undefined;
}
