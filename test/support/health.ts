/** The sidecar beside a site of a test: started in this process, asked over HTTP, checked by its schemas. */
import assert from 'node:assert/strict';
import { type FastifyInstance, fastify } from 'fastify';
import {
  errorSchema,
  healthSchema,
  liveSchema,
  readySchema,
  versionSchema,
} from '../../healthcheck/schemas.ts';
import { startHealth } from '../../healthcheck/start.ts';
import { makeLog } from '../../src/cli/log.ts';
import { loadConfig } from '../../src/config/load.ts';
import { openMigrations } from '../../src/migrations/files.ts';
import type { Site } from './deploy.ts';
import type { Cleanup } from './server.ts';

/** A parsed body; its schema is what checks it. */
// biome-ignore lint/suspicious/noExplicitAny: tests reach into it field by field
export type Body = any;

type Answer<T> = {
  readonly code: number;
  readonly body: T;
  readonly text: string;
  readonly headers: Headers;
};

export type HealthBody = {
  readonly status: string;
  readonly state: string;
  readonly compatible: boolean;
  readonly [field: string]: Body;
};

export type Sidecar = {
  readonly url: string;
  /** Asks again while the answer says that it is stale: on a slow machine a look takes long, too. */
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer<Body>>;
  /** Asks once, for tests of what is stale, of the time that an answer takes, and of how many may be asked. */
  getOnce(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer<Body>>;
  /** `/api/system/health`, `/api/system/version` and `/readyz`, and `/livez`, each checked by its schema. */
  ask(): Promise<{
    readonly health: Answer<HealthBody>;
    readonly version: Answer<Body>;
    readonly ready: Answer<Body>;
  }>;
  stop(): Promise<void>;
};

/** One log for all: each log listens to the stream that it writes to. */
const log = makeLog(
  { logLevel: 'silent', logFormat: 'json', secrets: [] },
  { stderr: process.stderr },
);

/** Starts the sidecar for a site; it looks at the database with every request unless told otherwise. */
export async function startSidecar(
  t: Cleanup,
  site: Pick<Site, 'env'>,
  env: Readonly<Record<string, string>> = {},
): Promise<Sidecar> {
  const config = loadConfig({
    ...site.env,
    ...{ HEALTH_HOST: '127.0.0.1', HEALTH_PORT: '0', HEALTH_CACHE_SECONDS: '0' },
    ...{ BACKEND_VERSION: '0.9.1', BACKEND_COMMIT: 'abc1234', ...env },
  });
  const { url, stop } = await startHealth({
    config,
    log,
    folder: () => openMigrations(config.migrationsDir),
    toolVersion: '1.2.3',
  });
  t.after(stop);
  const getOnce: Sidecar['getOnce'] = async (path, headers = {}) => {
    const response = await fetch(`${url}${path}`, { headers });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    const body: unknown = isJson ? JSON.parse(text) : null;
    return { code: response.status, body, text, headers: response.headers };
  };
  const get: Sidecar['get'] = async (path, headers = {}) => {
    const end = performance.now() + 30_000;
    for (;;) {
      const answer = await getOnce(path, headers);
      if ((answer.body as { stale?: unknown } | null)?.stale !== true) return answer;
      assert.ok(performance.now() < end, `stale for 30 s: ${answer.text}`);
    }
  };
  return {
    ...{ url, get, getOnce, stop },
    async ask() {
      const health = await get('/api/system/health');
      const version = await get('/api/system/version');
      const ready = await get('/readyz');
      const live = await get('/livez');
      await assertConforms('health', health.body);
      await assertConforms('version', version.body);
      await assertConforms('ready', ready.body);
      await assertConforms('live', live.body);
      return { health, version, ready };
    },
  };
}

/**
 * Gives what `work` gives, and fails when it took more than `limitMs`. Time in which this process,
 * in which the sidecar runs as well, stood still because others had the cores does not count.
 */
export async function inTime<T>(work: () => Promise<T>, limitMs = 3_000): Promise<T> {
  const tickMs = 20;
  const begunAt = performance.now();
  let stoodStillMs = 0;
  let before = begunAt;
  const tick = () => {
    const now = performance.now();
    stoodStillMs += Math.max(0, now - before - tickMs);
    before = now;
  };
  const timer = setInterval(tick, tickMs);
  try {
    const value = await work();
    tick();
    const tookMs = performance.now() - begunAt - stoodStillMs;
    assert.ok(tookMs < limitMs, `${tookMs} ms, without ${stoodStillMs} ms of standing still`);
    return value;
  } finally {
    clearInterval(timer);
  }
}

const schemas = {
  health: healthSchema,
  version: versionSchema,
  ready: readySchema,
  live: liveSchema,
  error: errorSchema,
};
let checker: FastifyInstance | undefined;

/** Fails when the body is not exactly what the schema says: a field more counts, too. */
export async function assertConforms(schema: keyof typeof schemas, body: unknown): Promise<void> {
  checker ??= makeChecker();
  const payload = body as object;
  const response = await checker.inject({ method: 'POST', url: `/${schema}`, payload });
  assert.equal(response.statusCode, 200, response.body);
}

function makeChecker(): FastifyInstance {
  const exact = { removeAdditional: false, coerceTypes: false, useDefaults: false } as const;
  const app = fastify({ ajv: { customOptions: { ...exact, allowUnionTypes: true } } });
  for (const [name, body] of Object.entries(schemas)) {
    app.post(`/${name}`, { schema: { body } }, async () => 'conforms');
  }
  return app;
}
