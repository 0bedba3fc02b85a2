import { join, resolve } from 'node:path';
import { listSets } from '../backup/list.ts';
import type { BackupSet, Proof } from '../backup/manifest.ts';
import { proveSet } from '../backup/prove.ts';
import { verifySet } from '../backup/verify.ts';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import type { Log } from '../config/log.ts';
import { DeployError, isDeployError } from '../errors/deploy-error.ts';
import { exitCodeOf } from '../errors/render.ts';
import { noteLongWork } from '../run/long-work.ts';
import { type CommonOptions, guard, type World } from './invoke.ts';
import { makeLog } from './log.ts';
import { printUsageError } from './usage.ts';

type Flags = CommonOptions & { readonly all?: boolean; readonly restore?: boolean };

/** What was found out about one set: its size in bytes, or the failure. */
type Verified = { readonly name: string } & (
  | { readonly failure: DeployError }
  | { readonly failure: null; readonly set: BackupSet; readonly proof: Proof | null }
);

/**
 * `deploy backup verify`: reads sets in full, and with `--restore` proves them again in a scratch
 * server. Needs no database and changes nothing. Exit code 15 when a set is damaged, 14 when one
 * restores to something else.
 */
export async function verifyCommand(
  world: World,
  name: string | undefined,
  flags: Flags,
): Promise<number> {
  if ((name === undefined) === (flags.all !== true)) {
    return printUsageError(world, 'backup verify needs the name of a set, or --all');
  }
  return guard(world, flags, async () => {
    const config = loadConfig(world.env, { database: 'optional' });
    const log = makeLog(config, { stderr: world.streams.stderr });
    const dirs = name === undefined ? await allDirs(config.backupDir) : [dirOf(config, name)];
    const found: Verified[] = [];
    for (const dir of dirs) {
      world.stop.throwIfAborted();
      found.push(await verify(dir, { config, log, stop: world.stop, restore: flags.restore }));
    }
    const output = flags.json
      ? `${JSON.stringify(found.map(verifiedJson), null, 2)}\n`
      : found.map(renderVerified).join('') || `no backup sets in ${config.backupDir}\n`;
    world.streams.stdout.write(output);
    const failures = found.flatMap(({ failure }) => failure ?? []);
    // One set: its own failure text; of several, stdout has one line each.
    if (failures.length > 0 && name !== undefined) throw failures[0];
    if (failures.length > 0) throw tooMany(failures, found.length, config.backupDir);
    return 0;
  });
}

async function allDirs(backupDir: string): Promise<string[]> {
  return (await listSets(backupDir)).map(({ dir }) => dir);
}

function dirOf({ backupDir }: Pick<Config, 'backupDir'>, name: string): string {
  return name.includes('/') ? resolve(name) : join(backupDir, name);
}

async function verify(
  dir: string,
  options: {
    readonly config: Pick<Config, 'scratchDir'>;
    readonly log: Log;
    readonly stop: AbortSignal;
    readonly restore: boolean | undefined;
  },
): Promise<Verified> {
  const { config, log, stop } = options;
  const onProgress = noteLongWork(log);
  const name = dir.slice(dir.lastIndexOf('/') + 1);
  try {
    const set = await verifySet(dir, onProgress);
    const scratchVariables = set.manifest.server.variables;
    const proven =
      options.restore === true
        ? await proveSet({
            ...{ set, scratchDir: config.scratchDir, scratchVariables, log, onProgress },
            signal: stop,
          })
        : null;
    return { name, failure: null, set, proof: proven?.proof ?? null };
  } catch (error) {
    if (stop.aborted) throw stop.reason;
    // The set is at fault, so the others are looked at as well; anything else ends the command.
    if (isDeployError(error, 'BACKUP_SET_INVALID') || isDeployError(error, 'BACKUP_NOT_PROVEN')) {
      return { name, failure: error };
    }
    throw error;
  }
}

function tooMany(failures: readonly DeployError[], of: number, dir: string): DeployError {
  const worst = failures.reduce((a, b) => (exitCodeOf(b) > exitCodeOf(a) ? b : a));
  return new DeployError(worst.code, `${failures.length} of ${of} sets cannot be used`, {
    where: dir,
    next: ['take a new one: deploy backup create'],
  });
}

function verifiedJson(verified: Verified): Record<string, unknown> {
  const { name, failure } = verified;
  if (failure !== null) return { name, ok: false, problem: failure.message, restored: null };
  return { name, ok: true, problem: null, restored: verified.proof };
}

function renderVerified(verified: Verified): string {
  const { name, failure } = verified;
  if (failure !== null) return `${name.padEnd(28)} cannot be used: ${failure.message}\n`;
  const { files, tables } = verified.set.manifest;
  const restored =
    verified.proof === null
      ? ''
      : `, restored and compared: ${tables.length} tables, ${verified.proof.rows} rows`;
  return `${name.padEnd(28)} whole: ${files.length} files read${restored}\n`;
}
