import type { Db } from '../database/connect.ts';
import { waitForServer } from '../database/wait.ts';
import type { RunContext } from './context.ts';
import { step } from './report.ts';

/**
 * Waits until the server takes a connection to the database, and opens one to look and plan with: its
 * answers are short. Changes nothing.
 *
 * @throws DeployError as `waitForServer`
 */
export function openDatabase({
  config,
  report,
  log,
  stop,
}: Pick<RunContext, 'config' | 'report' | 'log' | 'stop'>): Promise<Db> {
  const { database, dbWaitMs: waitMs } = config;
  return step(report, 'wait', () =>
    waitForServer(database, {
      ...{ waitMs, log, signal: stop, database: database.name, answers: 'short' },
    }),
  );
}
