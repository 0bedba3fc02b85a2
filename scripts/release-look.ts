/** What `npm run release` asks compose and deploy about. Reads only. */

import { $ } from 'zx';
import {
  type DatabaseState,
  findSetOfBefore,
  type ListedSet,
  type OldBackend,
} from './release-advice.ts';

/** A command of this procedure failed, and has said why. */
export class StepFailed extends Error {
  readonly exitCode: number;
  constructor(exitCode: number) {
    super(`exit code ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** What of `deploy status --json` is read here. */
type Status = {
  readonly actual_db_version: string | null;
  readonly database_empty: boolean;
  readonly unfinished_run: { readonly backup: string | null } | null;
  readonly last_backup: { readonly name: string } | null;
};

/** The database, and the newest set that it could be put back from. */
export type LookedAt = DatabaseState & {
  readonly newestSet: string | null;
  /** Of a run that was cut off: it is put back from this set, or goes on. */
  readonly setOfRun: string | null;
};

const quiet = $({ nothrow: true, quiet: true });

/** The release to start, as compose itself understands `.env`, the environment and the compose files. */
export async function readNewRelease(): Promise<string> {
  const { services } = JSON.parse(await output(['config', '--format', 'json'], 10));
  return tagOf(services.backend.image) ?? 'latest';
}

/** The backend that runs; null when none does. */
export async function readBackend(): Promise<OldBackend | null> {
  const id = (await output(['ps', '--quiet', 'backend'], 10)).trim();
  if (id === '') return null;
  const [{ Config: config }] = JSON.parse((await quiet`docker inspect ${id}`).stdout);
  const files: string = config.Labels['com.docker.compose.project.config_files'] ?? '';
  return { release: tagOf(config.Image), composeFiles: files.replaceAll(',', ':') };
}

/** What `deploy status` says; throws when it cannot be asked. */
export async function readDatabase(): Promise<LookedAt> {
  // 30: there is something to do; 31: the database is newer.
  const text = await output(['run', '--rm', '-T', 'deploy', 'status', '--json'], null, [0, 30, 31]);
  const status = JSON.parse(text) as Status;
  return {
    version: status.actual_db_version,
    isEmpty: status.database_empty,
    isUnfinished: status.unfinished_run !== null,
    newestSet: status.last_backup?.name ?? null,
    setOfRun: status.unfinished_run?.backup ?? null,
  };
}

/** The set of the database as it was `before`; null when nobody can tell. */
export async function readSetOfBefore({ newestSet, setOfRun }: LookedAt): Promise<string | null> {
  if (setOfRun !== null) return setOfRun;
  const text = await output(['run', '--rm', '-T', 'deploy', 'backup', 'list', '--json'], null);
  return findSetOfBefore(JSON.parse(text) as ListedSet[], newestSet);
}

/** The commit of this checkout: what deploy and sidecar are built from. Null when it is none. */
export async function readRevision(): Promise<string | null> {
  const { exitCode, stdout } = await quiet`git -C ${import.meta.dirname} rev-parse HEAD`;
  return exitCode === 0 ? stdout.trim() : null;
}

/** Whether the sidecar agrees that the database is as required; what it says is given when not. */
export async function askReady(): Promise<string | null> {
  const ready = await quiet`docker compose exec -T health node healthcheck/probe.ts ready`;
  return ready.exitCode === 0 ? null : ready.stdout.trim() || ready.stderr.trim();
}

/** Null without a tag: what comes after a colon may be the port of a registry. */
function tagOf(image: string): string | null {
  return /:([^:/]+)$/.exec(image)?.[1] ?? null;
}

/** Gives stdout. `failure`: the exit code of a failure; null for the command's own. */
async function output(
  words: readonly string[],
  failure: number | null,
  good: readonly number[] = [0],
): Promise<string> {
  const { exitCode, stdout, stderr } = await quiet`docker compose ${words}`;
  if (good.includes(exitCode ?? -1)) return stdout;
  process.stderr.write(stderr);
  throw new StepFailed(failure ?? exitCode ?? 1);
}
