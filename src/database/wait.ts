/**
 * Waits for the server to be there, and tells apart why it is not: nobody answers, it is still
 * starting, it is the temporary server of the image's first start, or the account is wrong.
 *
 * During its first start the docker image runs a temporary server on the socket only, and creates
 * account and database there. So "access denied" and "unknown database" are final only when
 * they last, and a connection through the socket is looked at more closely.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerAddress } from '../config/config.ts';
import type { Log } from '../config/log.ts';
import type { ErrorCode } from '../errors/catalogue.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { type ConnectOptions, connect, type Db } from './connect.ts';
import {
  isAccessDenied,
  isConnectionLost,
  isConnectionRefused,
  isDatabaseAccessDenied,
  isNodeNotReady,
  isShuttingDown,
  isTooManyConnections,
  isUnknownDatabase,
  serverText,
  toDeployError,
} from './server-errors.ts';

export type WaitOptions = Pick<ConnectOptions, 'answers'> & {
  readonly waitMs: number;
  readonly log: Log;
  readonly signal?: AbortSignal;
  /** The database to use, or null for none: then a missing one is no error. */
  readonly database: string | null;
};

/**
 * Gives an open connection as soon as the server takes one. Tries again at growing intervals of at
 * most a second, and logs every few seconds what it is waiting for.
 *
 * @throws DeployError `SERVER_UNREACHABLE`, `SERVER_STARTING` after `waitMs`; `ACCESS_DENIED`,
 *   `DATABASE_MISSING` once they have lasted for three seconds; the reason of the signal
 */
export async function waitForServer(
  address: ServerAddress & { readonly name: string },
  options: WaitOptions,
): Promise<Db> {
  const begunAt = performance.now();
  const deadline = begunAt + options.waitMs;
  let denied = null as { readonly code: ErrorCode; readonly since: number } | null;
  let loggedAt = begunAt;
  for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 1_000)) {
    options.signal?.throwIfAborted();
    const obstacle = await attempt(address, options, Math.max(deadline - performance.now(), 250));
    if ('db' in obstacle) return obstacle.db;
    const now = performance.now();
    if (!obstacle.canBeFinal) denied = null;
    else if (denied?.code !== obstacle.code) denied = { code: obstacle.code, since: now };
    const isFinal = denied !== null && now - denied.since >= GRACE_MS;
    if (isFinal || now >= deadline) throw failure(obstacle, address, now - begunAt);
    if (now - loggedAt >= LOG_EVERY_MS) {
      loggedAt = now;
      options.log.info(`waiting for the server: ${obstacle.words}`);
    }
    await pause(Math.min(pauseMs, Math.max(deadline - now, 10)), options.signal);
  }
}

/** The time for which a refusal must last: the image sets its accounts up in less. */
const GRACE_MS = 3_000;
const LOG_EVERY_MS = 5_000;

type Obstacle = {
  readonly code: ErrorCode;
  /** For people: `nobody answers at db:3306`. */
  readonly words: string;
  /** True when waiting longer than the grace would not help. */
  readonly canBeFinal: boolean;
  readonly cause?: unknown;
};

async function attempt(
  address: ServerAddress & { readonly name: string },
  options: WaitOptions,
  remainingMs: number,
): Promise<Obstacle | { readonly db: Db }> {
  const { database, answers } = options;
  let db: Db;
  try {
    db = await connect(address, {
      ...(database === null ? {} : { database }),
      ...(answers === undefined ? {} : { answers }),
      connectTimeoutMs: Math.min(remainingMs, 5_000),
    });
  } catch (error) {
    return classifyObstacle(error, address, database);
  }
  if (address.socketPath === null || !db.looksTemporary) return { db };
  await db.close();
  return {
    code: 'SERVER_STARTING',
    words: 'it is the temporary server of the first start (without network)',
    canBeFinal: false,
  };
}

/**
 * What stands in the way of a connection. Pure.
 *
 * @throws DeployError for an error that has nothing to do with connecting
 */
export function classifyObstacle(
  error: unknown,
  address: ServerAddress,
  database: string | null,
): Obstacle {
  const place = address.socketPath ?? `${address.host}:${address.port}`;
  const account = `account ${address.user}`;
  const is = (code: ErrorCode, words: string, canBeFinal: boolean) => ({
    code,
    words,
    canBeFinal,
    cause: error,
  });
  if (isTooManyConnections(error))
    return is('SERVER_UNREACHABLE', 'it has no free connection', false);
  if (isShuttingDown(error)) return is('SERVER_STARTING', 'it is shutting down', false);
  if (isNodeNotReady(error)) return is('SERVER_STARTING', 'the cluster node is not ready', false);
  if (isUnknownDatabase(error)) {
    return is('DATABASE_MISSING', `it has no database ${database}`, true);
  }
  if (isDatabaseAccessDenied(error)) {
    return is(
      'DATABASE_MISSING',
      `it has no database ${database}, or ${account} may not use it`,
      true,
    );
  }
  if (isAccessDenied(error)) return is('ACCESS_DENIED', `it refuses ${account}`, true);
  if (isConnectionLost(error)) {
    return is('SERVER_STARTING', `${place} accepts a connection and closes it again`, false);
  }
  if (isConnectionRefused(error)) {
    return is('SERVER_UNREACHABLE', `nobody answers at ${place}`, false);
  }
  throw toDeployError(error, `no connection to ${place} could be opened`);
}

function failure(obstacle: Obstacle, address: ServerAddress, waitedMs: number): DeployError {
  const seconds = Math.round(waitedMs / 100) / 10;
  return new DeployError(
    obstacle.code,
    `the server could not be used after ${seconds} s: ${obstacle.words}`,
    {
      where: address.socketPath ?? `${address.host}:${address.port}`,
      ...(obstacle.cause === undefined ? {} : { cause: obstacle.cause }),
      facts: {
        waitedMs: Math.round(waitedMs),
        ...(obstacle.cause === undefined ? {} : { serverText: serverText(obstacle.cause) }),
      },
    },
  );
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch {
    signal?.throwIfAborted();
  }
}
