/** Puts the sidecar together: settings, database, sampler, server. */
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import type { Config } from '../src/config/config.ts';
import type { Log } from '../src/config/log.ts';
import { DeployError } from '../src/errors/deploy-error.ts';
import type { MigrationFolder } from '../src/migrations/files.ts';
import { decideHealth, type Health } from './decide-health.ts';
import { type DatabaseReader, makeDatabaseReader } from './read-database.ts';
import { makeSampler } from './sampler.ts';
import { makeHealthServer } from './server.ts';

export type StartOptions = {
  readonly config: Config;
  /** The migrations of this release, or how to read them: asked again until it succeeds once. */
  readonly folder: MigrationFolder | (() => Promise<MigrationFolder>);
  readonly log: Log;
  readonly toolVersion: string;
  readonly toolRelease?: string | null;
  readonly toolCommit?: string | null;
  readonly toolBuildDate?: string | null;
};

export type RunningHealth = {
  /** Where it can be reached from this machine. */
  readonly url: string;
  /** Ends it within 2 s: open requests are answered, idle connections closed. Never rejects. */
  stop(): Promise<void>;
};

/**
 * Starts the sidecar. It needs no database for that, only its port.
 *
 * @throws DeployError `CONFIG_INVALID` when it cannot listen on HEALTH_HOST and HEALTH_PORT.
 */
export async function startHealth(options: StartOptions): Promise<RunningHealth> {
  const { config, log } = options;
  const reader = makeDatabaseReader(config, log);
  const sampler = makeSampler({
    look: makeLook(options, reader),
    cacheMs: config.health.cacheMs,
    onLook: (now, before) => logChange(log, now, before),
  });
  const app = makeHealthServer({
    about: {
      config,
      toolVersion: options.toolVersion,
      toolRelease: options.toolRelease ?? null,
      toolCommit: options.toolCommit ?? null,
      toolBuildDate: options.toolBuildDate ?? null,
      nodeVersion: process.version,
    },
    sampler,
    health: config.health,
    log,
  });
  const { host, port } = config.health;
  try {
    await app.listen({ host, port });
  } catch (cause) {
    throw new DeployError('CONFIG_INVALID', `the sidecar cannot listen on ${host}, port ${port}`, {
      cause,
      next: ['end what uses the port, or set HEALTH_PORT or HEALTH_HOST to what is free'],
    });
  }
  const url = `http://${reachable(host)}:${(app.server.address() as AddressInfo).port}`;
  log.info({ url }, 'the sidecar is up');
  return { url, stop: () => stop(app, reader) };
}

const stopLimitMs = 1_500;

async function stop(
  app: ReturnType<typeof makeHealthServer>,
  reader: DatabaseReader,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, stopLimitMs);
  });
  await Promise.race([app.close(), limit]);
  clearTimeout(timer);
  app.server.closeAllConnections();
  reader.close();
}

/** Reads files and database. Never rejects: what cannot be read is an answer, too. */
function makeLook(options: StartOptions, reader: DatabaseReader): () => Promise<Health> {
  const { config, log } = options;
  let folder = typeof options.folder === 'function' ? null : options.folder;

  async function findFolder(): Promise<MigrationFolder | null> {
    if (folder !== null || typeof options.folder !== 'function') return folder;
    try {
      const found = await options.folder();
      // A folder without versions is one that is not mounted yet, or a wrong one.
      if (found.versions.length > 0) folder = found;
    } catch (error) {
      log.debug({ err: error }, 'the migrations cannot be read');
    }
    return folder;
  }

  return async () => {
    const [found, reading] = await Promise.all([findFolder(), reader.look()]);
    const requiredVersion = config.requiredVersion ?? found?.versions.at(-1) ?? null;
    const health = decideHealth({ folder: found, requiredVersion, reading });
    // A folder that is mounted may have been corrected since: with what does not fit it is read again.
    const fits = health.state !== 'unknown' && health.state !== 'ahead';
    if (!fits && typeof options.folder === 'function') folder = null;
    return health;
  };
}

/** One line for each change, not for each look: a log of an outage begins and ends. */
function logChange(log: Log, now: Health, before: Health | null): void {
  if (now.state === before?.state && now.actualVersion === before.actualVersion) return;
  const { state, requiredVersion, actualVersion } = now;
  const facts = { state, before: before?.state ?? null, requiredVersion, actualVersion };
  log[now.status === 'error' ? 'warn' : 'info'](facts, now.reason);
}

/** All interfaces is an address to listen on, not one to ask. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
