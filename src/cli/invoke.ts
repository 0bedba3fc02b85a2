/** What every command does around its work: settings, log, signals, report, failure text. */
import type { Writable } from 'node:stream';
import { loadConfig } from '../config/load.ts';
import {
  isConnectionLost,
  isConnectionRefused,
  isTooManyConnections,
  serverText,
  toDeployError,
} from '../database/server-errors.ts';
import { isDeployError } from '../errors/deploy-error.ts';
import { redact } from '../errors/redact.ts';
import { codeOf, exitCodeOf, failureJson, renderFailure } from '../errors/render.ts';
import { type openMigrations, readMigrations } from '../migrations/files.ts';
import type { RunContext } from '../run/context.ts';
import { asInterrupted } from '../run/interrupted.ts';
import { makeMasterdataSource } from '../run/masterdata-source.ts';
import { makeReport, makeRunId, type Report, stampOf, writeReport } from '../run/report.ts';
import { SettledError, type Settlement } from '../run/settled.ts';
import { makeSharedScratch } from '../run/shared-scratch.ts';
import { makeLog } from './log.ts';
import { renderReport } from './render-report.ts';
import { toolVersion } from './tool-version.ts';

export type Streams = {
  readonly stdout: Writable;
  readonly stderr: Writable & { readonly isTTY?: boolean };
};

/** The world of one process, handed in by `main.ts` so that nothing below reads globals. */
export type World = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly streams: Streams;
  readonly stop: AbortSignal;
  /** Folder of master data that the command line names instead of the image's. */
  readonly masterdataInput?: string;
};

/** Options that every command has. */
export type CommonOptions = { readonly json?: boolean; readonly verbose?: boolean };

/**
 * Runs a command that only reads, and gives its exit code. What `work` returns is printed to
 * stdout: as JSON with `--json`, else as text.
 */
export async function inspect(
  world: World,
  options: CommonOptions,
  work: (
    context: RunContext,
  ) => Promise<{ readonly value: unknown; readonly text: string; readonly exitCode: number }>,
): Promise<number> {
  return guard(world, options, async () => {
    const context = await makeContext(world, options);
    const { value, text, exitCode } = await work(context).finally(() => endContext(context));
    const output = options.json ? `${JSON.stringify(value, null, 2)}\n` : text;
    world.streams.stdout.write(redact(output, context.config.secrets));
    return exitCode;
  });
}

/**
 * Runs a command that may change the database. Writes the report, prints it, and gives the exit
 * code: of the failure's code when nothing was changed, else of the outcome. `files` says how the
 * migrations are read; `openMigrations` leaves it to `work` to check their statements.
 */
export async function execute(
  world: World,
  options: CommonOptions,
  work: (context: RunContext) => Promise<void>,
  files: typeof openMigrations = readMigrations,
): Promise<number> {
  return guard(world, options, async () => {
    const context = await makeContext(world, options, files);
    const { report, log } = context;
    const { secrets } = context.config;
    let failure: unknown = null;
    try {
      await work(context).finally(() => endContext(context));
      if (report.mode !== 'nothing to do') report.outcome = 'done';
    } catch (error) {
      failure =
        error instanceof SettledError ? error : asInterrupted(context, nameServerError(error));
    }
    const settlement = failure === null ? null : settlementOf(failure, report);
    const error = failure instanceof SettledError ? nameServerError(failure.cause) : failure;
    if (settlement !== null) noteFailure(report, error, settlement);
    report.finished_at = new Date().toISOString();

    if (settlement !== null) context.keepLog();
    log.info({ exitCode: settlement?.exitCode ?? 0 }, report.database.statement);
    const file = await saveReport(context, secrets);
    if (options.json) world.streams.stdout.write(redact(`${JSON.stringify(report)}\n`, secrets));
    if (settlement === null) {
      if (!options.json) world.streams.stdout.write(redact(renderReport(report, file), secrets));
      return 0;
    }
    printFailure(world, options, {
      ...{ error, exitCode: settlement.exitCode, database: settlement.statement },
      ...{ reportPath: file, secrets, explain: explainServer },
      formerRelease: report.former_release,
    });
    return settlement.exitCode;
  });
}

/** What cannot be removed is said, and never takes the place of the outcome. */
async function endContext({ scratch, masterdata, log }: RunContext): Promise<void> {
  for (const end of [() => scratch.stop(), () => masterdata.close()]) {
    await end().catch((error: unknown) => log.warn({ err: error }, 'temporary files were left'));
  }
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

async function saveReport(
  { config, report, log }: RunContext,
  secrets: readonly string[],
): Promise<string | null> {
  // A run that found nothing to do leaves no file: every restart of the stack makes one such run.
  if (report.outcome === 'nothing_to_do') return null;
  try {
    return await writeReport(config.reportDir, report, (text) => redact(text, secrets));
  } catch (error) {
    log.warn({ err: error }, `the report could not be written into ${config.reportDir}`);
    return null;
  }
}

async function makeContext(
  world: World,
  options: CommonOptions,
  files: typeof openMigrations = readMigrations,
): Promise<RunContext> {
  const loaded = loadConfig(world.env);
  const config = options.verbose ? { ...loaded, logLevel: 'debug' as const } : loaded;
  const version = toolVersion();
  const now = new Date();
  let kept = false;
  const file = { dir: config.reportDir, stamp: stampOf(now), when: () => kept };
  const log = makeLog(config, { stderr: world.streams.stderr, file });
  for (const warning of config.warnings) log.warn(warning);
  const folder = await files(config.migrationsDir);
  const report = makeReport({
    ...{ run_id: makeRunId(now), tool_version: version, backend_version: config.backendVersion },
    ...{
      required_db_version: config.requiredVersion ?? folder.versions.at(-1) ?? null,
      database: config.database.name,
    },
  });
  report.warnings.push(...config.warnings);
  const keepLog = () => {
    kept = true;
  };
  return {
    ...{ config, folder, log, report, keepLog, toolVersion: version, stop: world.stop },
    readers: new Set(),
    scratch: makeSharedScratch(config.scratchDir, log, {
      ...{ stop: world.stop, graceMs: config.stopGraceMs },
    }),
    masterdata: makeMasterdataSource(config, folder, world.masterdataInput ?? null),
  };
}

/** Prints what `work` throws as a failure text; nothing was changed when it throws. */
export async function guard(
  world: World,
  options: CommonOptions,
  work: () => Promise<number>,
): Promise<number> {
  try {
    return await work();
  } catch (thrown) {
    const settlement = thrown instanceof SettledError ? thrown.settlement : null;
    const error = thrown instanceof SettledError ? thrown.cause : thrown;
    const exitCode = settlement?.exitCode ?? (isDeployError(error) ? exitCodeOf(error) : 1);
    printFailure(world, options, {
      ...{ error, exitCode, database: settlement?.statement ?? 'not touched' },
      ...{ secrets: secretsOf(world.env), explain: explainServer },
    });
    return exitCode;
  }
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
