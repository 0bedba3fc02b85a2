/** Turns what the engine does into lines of the log and entries of the report. */

import type { DeployError } from '../errors/deploy-error.ts';
import type { Action } from '../migrations/actions.ts';
import type { ActionDone } from '../migrations/apply.ts';
import { showNumber } from '../migrations/install-number.ts';
import type { Migration } from '../migrations/migration.ts';
import type { RunContext } from './context.ts';

/** Announces a statement before it runs: a long ALTER is not silence. */
export function noteBegin({ log }: RunContext, action: Action, migration: Migration): void {
  const title = `${showNumber(migration.number)} ${migration.name}`;
  if (action.kind === 'record') {
    const verb = action.direction === 'up' ? 'recording' : 'removing from the history';
    log.debug({ migration: migration.number }, `${verb}: ${title}`);
    return;
  }
  const verb = action.direction === 'up' ? 'applying' : 'reverting';
  const text = `${verb} ${title}: ${action.statement} of ${action.of}`;
  log[action.statement === 1 ? 'info' : 'debug'](
    { migration: migration.number, statement: action.statement },
    text,
  );
}

/** Notes a migration that failed, is not critical, and was taken back. */
export function noteSkipped(
  { report, log }: RunContext,
  migration: Migration,
  error: DeployError,
): void {
  const text = `migration ${migration.number} ${migration.name} failed and is not critical: taken back, recorded, tried again with the next work`;
  report.warnings.push(text);
  log.warn({ err: error }, text);
}

/** Notes what took effect in the report. */
export function noteAction({ report, log }: RunContext, done: ActionDone): void {
  const { action, migration } = done;
  let entry = report.migrations.at(-1);
  if (entry?.number !== migration.number || entry.direction !== action.direction) {
    const { number, version, description } = migration;
    entry = {
      number,
      version,
      description,
      direction: action.direction,
      duration_ms: 0,
      statements: [],
    };
    report.migrations.push(entry);
  }
  entry.duration_ms += Math.round(done.durationMs);
  if (action.kind === 'record') return;
  entry.statements.push({ sql: done.sql, duration_ms: round(done.durationMs), rows: done.rows });
  log.debug({ migration: migration.number, statement: action.statement, rows: done.rows }, 'done');
}

function round(durationMs: number): number {
  return Math.round(durationMs * 100) / 100;
}
