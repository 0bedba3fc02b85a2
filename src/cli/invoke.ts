/** What every command does around its work: settings, log, signals, report, failure text. */
import type { Writable } from 'node:stream';
import { loadConfig } from '../config/load.ts';
import { redact } from '../errors/redact.ts';
import { type openMigrations, readMigrations } from '../migrations/files.ts';
import type { RunContext } from '../run/context.ts';
import { makeMasterdataSource } from '../run/masterdata-source.ts';
import { makeReport, makeRunId, type Report, stampOf, writeReport } from '../run/report.ts';
import { makeSharedScratch } from '../run/shared-scratch.ts';
import type { FailedRun } from './failure.ts';
import { makeLog } from './log.ts';
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
    let failed: FailedRun | null = null;
    try {
      await work(context).finally(() => endContext(context));
      if (report.mode !== 'nothing to do') report.outcome = 'done';
    } catch (thrown) {
      const { endFailedRun } = await import('./failure.ts');
      failed = endFailedRun(context, thrown);
      context.keepLog();
    }
    report.finished_at = new Date().toISOString();
    const exitCode = failed?.settlement.exitCode ?? 0;
    // Nothing to do is said once, by the report below: every restart of the stack says so.
    if (report.outcome !== 'nothing_to_do') log.info({ exitCode }, report.database.statement);
    const reportPath = await saveReport(context, secrets);
    if (options.json) world.streams.stdout.write(redact(`${JSON.stringify(report)}\n`, secrets));
    if (failed !== null) {
      const { printFailedRun } = await import('./failure.ts');
      printFailedRun(world, options, context, { ...failed, reportPath });
    } else if (!options.json)
      world.streams.stdout.write(redact(await textOf(report, reportPath), secrets));
    return exitCode;
  });
}

/** The report for people, of which a run that found nothing to do has only the first line. */
async function textOf(report: Report, reportPath: string | null): Promise<string> {
  if (report.outcome === 'nothing_to_do') return `deploy: ${report.database.statement}\n`;
  const { renderReport } = await import('./render-report.ts');
  return renderReport(report, reportPath);
}

/** What cannot be removed is said, and never takes the place of the outcome. */
async function endContext({ scratch, masterdata, log }: RunContext): Promise<void> {
  for (const end of [() => scratch.stop(), () => masterdata.close()]) {
    await end().catch((error: unknown) => log.warn({ err: error }, 'temporary files were left'));
  }
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
    const { printThrown } = await import('./failure.ts');
    return printThrown(world, options, thrown);
  }
}
