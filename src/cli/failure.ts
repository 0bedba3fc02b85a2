/** How a failure ends a command: loaded only when there is one, so that other starts stay light. */
import {
  isConnectionLost,
  isConnectionRefused,
  isTooManyConnections,
  serverText,
  toDeployError,
} from '../database/server-errors.ts';
import { codeOf, isDeployError } from '../errors/deploy-error.ts';
import { exitCodeOf, failureJson, renderFailure } from '../errors/render.ts';
import type { RunContext } from '../run/context.ts';
import { asInterrupted } from '../run/interrupted.ts';
import type { Report } from '../run/report.ts';
import { SettledError, type Settlement } from '../run/settled.ts';
import type { CommonOptions, World } from './invoke.ts';

/** A run that failed: why, and where that left the database. */
export type FailedRun = { readonly error: unknown; readonly settlement: Settlement };

/** Says what it means that a run threw, and notes it in the report. */
export function endFailedRun(context: RunContext, thrown: unknown): FailedRun {
  const failure =
    thrown instanceof SettledError ? thrown : asInterrupted(context, nameServerError(thrown));
  const settlement = settlementOf(failure, context.report);
  const error = failure instanceof SettledError ? nameServerError(failure.cause) : failure;
  noteFailure(context.report, error, settlement);
  return { error, settlement };
}

/** Prints the failure of a run; `reportPath`: its report, if one was written. */
export function printFailedRun(
  world: World,
  options: CommonOptions,
  { config, report }: RunContext,
  { error, settlement, reportPath }: FailedRun & { readonly reportPath: string | null },
): void {
  printFailure(world, options, {
    ...{ error, exitCode: settlement.exitCode, database: settlement.statement },
    ...{ reportPath, secrets: config.secrets, explain: explainServer },
    formerRelease: report.former_release,
  });
}

/** Prints what was thrown outside a run, and gives the exit code. */
export function printThrown(world: World, options: CommonOptions, thrown: unknown): number {
  const settlement = thrown instanceof SettledError ? thrown.settlement : null;
  const error = thrown instanceof SettledError ? thrown.cause : thrown;
  const exitCode = settlement?.exitCode ?? (isDeployError(error) ? exitCodeOf(error) : 1);
  printFailure(world, options, {
    ...{ error, exitCode, database: settlement?.statement ?? 'not touched' },
    ...{ secrets: secretsOf(world.env), explain: explainServer },
  });
  return exitCode;
}

/** A server that went away is an expected failure, whichever statement it hit. */
function nameServerError(error: unknown): unknown {
  const away = isConnectionLost(error) || isConnectionRefused(error) || isTooManyConnections(error);
  if (isDeployError(error) || error instanceof SettledError || !away) return error;
  return toDeployError(error, 'the server went away during the run');
}

/** A failure outside a cycle: whatever the run reached before it stays as it is. */
function settlementOf(failure: unknown, report: Report): Settlement {
  if (failure instanceof SettledError) return failure.settlement;
  const { name, before, after } = report.database;
  const now = after ?? before;
  const text =
    now === before ? 'not touched' : 'reached by this run; nothing was changed after that';
  const statement = now === null ? text : `${name} is at ${now}, ${text}`;
  return { exitCode: exitCodeOf(failure), state: 'as_before', statement };
}

function noteFailure(report: Report, error: unknown, settlement: Settlement): void {
  const code = codeOf(error);
  const refused = settlement.exitCode === 13;
  report.outcome = refused ? 'refused' : 'failed';
  if (refused) report.mode = 'refused';
  report.exit_code = settlement.exitCode;
  const failure = JSON.parse(
    failureJson({
      error,
      exitCode: settlement.exitCode,
      database: settlement.statement,
      secrets: [],
      formerRelease: report.former_release,
      explain: explainServer,
    }),
  ) as { message: string; what: string; where: string; next: readonly string[] };
  report.error = {
    ...{ code, message: failure.message, hint: failure.next.join('\n') },
    ...{ what: failure.what, where: failure.where },
  };
  report.database.state = settlement.state;
  report.database.statement = settlement.statement;
  report.database.after =
    settlement.state === 'as_before' ? (report.database.after ?? report.database.before) : null;
}

function explainServer(error: unknown): string | null {
  return typeof (error as { errno?: unknown } | null)?.errno === 'number'
    ? serverText(error)
    : null;
}

/** Values that look like secrets by the name of their variable: for failures before the settings are read. */
function secretsOf(env: World['env']): string[] {
  return Object.entries(env).flatMap(([name, value]) =>
    /PASSWORD|DATABASE_URL/.test(name) && value ? [value] : [],
  );
}

function printFailure(
  world: World,
  options: CommonOptions,
  failure: Parameters<typeof renderFailure>[0],
): void {
  world.streams.stderr.write(renderFailure(failure));
  if (options.json) world.streams.stderr.write(`${failureJson(failure)}\n`);
}
