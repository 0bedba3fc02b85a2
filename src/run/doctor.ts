/** Checks everything that a run will need, and says what to do about each thing that is missing. */
import { constants } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import path from 'node:path';
import type { Db } from '../database/connect.ts';
import { assertUsable } from '../database/server.ts';
import { serverText } from '../database/server-errors.ts';
import { waitForServer } from '../database/wait.ts';
import { describeCauses } from '../errors/chain.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { exitCodeOf } from '../errors/render.ts';
import { findBinaries } from '../scratch/binaries.ts';
import { formatBytes, type RunContext } from './context.ts';
import { type Facts, readFacts } from './facts.ts';
import { describeFence, isFenced } from './fence.ts';
import type { Refusal } from './plan.ts';
import { refuseRights } from './refusals.ts';
import { fenceNext, fenceWarnings } from './refuse-fence.ts';
import { refuseHistory } from './refuse-history.ts';
import { refuseUnrestorable } from './restorable.ts';

/** One question, and what was found. `exitCode` is 0 for a check that passed. */
export type Check = {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'failed';
  readonly finding: string;
  readonly next: readonly string[];
  readonly exitCode: number;
};

/** What the connection to the server tells the later checks. */
type Known = { current: Facts | null; noWayBack: readonly Refusal[] };

/** Runs all checks; a failed one does not hide the later ones. Changes nothing. */
export async function examine(context: RunContext): Promise<Check[]> {
  const { config, folder } = context;
  const checks: Check[] = [
    ok('configuration', `complete; ${config.warnings.length} warnings`),
    ok(
      'migrations',
      `${folder.migrations.length} in ${folder.versions.length} versions, ${folder.dir}`,
    ),
  ];
  checks.push(
    await attempt(
      'tools',
      async () => `mariadbd ${(await findBinaries()).serverVersion} for the scratch server`,
    ),
  );
  const facts: Known = { current: null, noWayBack: [] };
  checks.push(await attempt('server', () => checkServer(context, facts)));
  const known = facts.current;
  if (known !== null) checks.push(...judge(context, known, facts.noWayBack));
  const neededBytes = 2 * (known?.server.sizeBytes ?? 0);
  for (const [name, dir] of [
    ['backup folder', config.backupDir],
    ['scratch folder', config.scratchDir],
    ['report folder', config.reportDir],
  ] as const) {
    checks.push(await checkFolder(name, dir, name === 'report folder' ? 0 : neededBytes));
  }
  return checks;
}

function ok(name: string, finding: string): Check {
  return { name, status: 'ok', finding, next: [], exitCode: 0 };
}

async function attempt(name: string, work: () => Promise<string>): Promise<Check> {
  try {
    return ok(name, await work());
  } catch (error) {
    const more = describeCauses(error, serverText);
    const message = error instanceof Error ? error.message : String(error);
    const finding = more === null ? message : `${message}: ${more}`;
    const next = error instanceof DeployError ? (error.next ?? []) : [];
    return { name, status: 'failed', finding, next, exitCode: exitCodeOf(error) };
  }
}

async function checkServer(context: RunContext, facts: Known): Promise<string> {
  const { config, log, stop, folder } = context;
  const database = config.database.name;
  // A doctor is asked when something is wrong: it does not wait as long as a run.
  const waitMs = Math.min(config.dbWaitMs, 10_000);
  const db: Db = await waitForServer(config.database, { waitMs, log, signal: stop, database });
  try {
    facts.current = await readFacts(db, config, folder);
    assertUsable(facts.current.server);
    // A run that was cut off has its set; what it is in the middle of says nothing about the next one.
    if (facts.current.unfinished === null)
      facts.noWayBack = await refuseUnrestorable(context, db, facts.current);
    const { serverVersion, currentUser, sizeBytes } = facts.current.server;
    return `MariaDB ${serverVersion} as ${currentUser}, ${database} has ${formatBytes(sizeBytes)}`;
  } finally {
    await db.close();
  }
}

function judge({ config }: RunContext, facts: Facts, noWayBack: readonly Refusal[]): Check[] {
  const { updatePath, fence, fenceUsers, masterdata, admin } = config;
  const settings = { updatePath, fence, fenceUsers, masterdata, admin, forward: false };
  const rights = [...refuseRights(facts, settings), ...noWayBack];
  const checks = rights.map(
    ({ message, next }): Check => ({
      ...{ name: 'rights', status: 'failed', finding: message, next: next ?? [], exitCode: 13 },
    }),
  );
  if (rights.length === 0)
    checks.push(ok('rights', `${facts.server.currentUser} has all rights that a run needs`));
  for (const warning of fenceWarnings(facts, settings)) {
    const next = fenceNext(facts.missingFenceRights);
    const what = next.length > 0 ? 'the application cannot be fenced out' : warning;
    const finding = `${what}; the run warns and goes on`;
    checks.push({ name: 'fence', status: 'warning', finding, next, exitCode: 0 });
  }
  const history = refuseHistory(facts);
  for (const { message, where } of history) {
    checks.push({
      name: 'history',
      status: 'failed',
      finding: `${message}${where ? ` (${where})` : ''}`,
      next: [],
      exitCode: 13,
    });
  }
  if (history.length === 0)
    checks.push(
      ok(
        'history',
        `${facts.resolution.applied.length} applied, version ${facts.resolution.actualVersion ?? 'none'}`,
      ),
    );
  if (facts.unfinished !== null) {
    const finding = `run ${facts.unfinished.runId} did not end (${facts.unfinished.state}); its backup set is ${facts.unfinished.backupSet ?? 'none'}`;
    const next = [
      'deploy up finishes it or puts the database back',
      ...(isFenced(facts.unfinished)
        ? [`deploy unfence opens for ${describeFence(facts.unfinished)}`]
        : []),
    ];
    checks.push({ name: 'run', status: 'warning', finding, next, exitCode: 0 });
  }
  return checks;
}

async function checkFolder(name: string, dir: string, neededBytes: number): Promise<Check> {
  let existing = dir;
  const failed = (finding: string, next: string): Check => ({
    name,
    status: 'failed',
    finding,
    next: [next],
    exitCode: 14,
  });
  for (;;) {
    try {
      await access(existing, constants.W_OK | constants.X_OK);
      break;
    } catch (error) {
      const parent = path.dirname(existing);
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === existing) {
        const uid = process.getuid?.() ?? -1;
        return failed(
          `${existing} is not writable for uid ${uid}`,
          `chown ${uid} ${existing}, or mount a volume there`,
        );
      }
      existing = parent;
    }
  }
  const { bavail, bsize } = await statfs(existing);
  const free = bavail * bsize;
  const finding = `${dir}: ${formatBytes(free)} free, about ${formatBytes(neededBytes)} needed`;
  return free < neededBytes
    ? failed(finding, 'free space or mount a larger volume')
    : ok(name, finding);
}
