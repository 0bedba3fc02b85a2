/** The HTTP server of the sidecar: hands out what the sampler knows. Knows no database. */
import type { Socket } from 'node:net';
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import type { Config } from '../src/config/config.ts';
import type { Log } from '../src/config/log.ts';
import { addBanner } from './banner-route.ts';
import { type About, healthBody, readyBody, versionBody } from './bodies.ts';
import type { Health } from './decide-health.ts';
import {
  type AllowOrigin,
  addHeaders,
  limitRate,
  makeAllowOrigin,
  securityHeaders,
} from './guard.ts';
import { makeMetrics } from './metrics.ts';
import type { Sampler } from './sampler.ts';
import { healthSchema, liveSchema, readySchema, versionSchema } from './schemas.ts';

export type HealthServerOptions = {
  readonly about: About;
  readonly sampler: Sampler<Health>;
  readonly health: Config['health'];
  readonly log: Log;
};

/** Requests have no body and few headers; whoever sends them slowly or without end is cut off. */
const limits = {
  bodyLimit: 1024,
  requestTimeout: 5_000,
  keepAliveTimeout: 65_000,
  routerOptions: { maxParamLength: 100 },
  http: { maxHeaderSize: 8 * 1024, headersTimeout: 5_000, connectionsCheckingInterval: 1_000 },
} as const;

/** More than that would cost too much memory: the next client is hung up on. */
const mostConnections = 1_500;

/** What stands further left in X-Forwarded-For than the nearest proxy's word, a client may have written. */
const trustNearest = (_address: string, hop: number) => hop === 0;

/** Gives the server, not listening yet. */
export function makeHealthServer(options: HealthServerOptions): FastifyInstance {
  const { about, sampler, health, log } = options;
  const metrics = makeMetrics(about, health.metricsPrefix);
  const allowOrigin = makeAllowOrigin(health.baseUrl);
  const app = fastify({
    ...limits,
    logger: false,
    trustProxy: health.trustProxy ? trustNearest : false,
    // No hook is called for these two.
    frameworkErrors: (_error, request, reply) => {
      allowOrigin(request, reply);
      void refuse(reply, 400, 'the request cannot be understood');
    },
    clientErrorHandler: refuseRaw,
  });
  app.server.maxConnections = mostConnections;
  addHeaders(app);
  logRequests(app, log);

  app.get('/livez', { schema: { response: { 200: liveSchema } } }, async () => ({ status: 'ok' }));
  app.get('/readyz', { schema: { response: both(readySchema, 503) } }, async (_request, reply) => {
    // A gate opens for what is, not for what was: it waits for the look that is under way.
    const sample = await sampler.current();
    return reply.code(sample.value.ready ? 200 : 503).send(readyBody(sample));
  });
  app.get('/metrics', async (_request, reply) => {
    const text = await metrics.render(await sampler.sample());
    return reply.header('content-type', metrics.contentType).send(text);
  });
  app.register(async (api) => addApi(api, options, allowOrigin));

  app.setNotFoundHandler((_request, reply) => refuse(reply, 404, 'there is nothing here'));
  app.setErrorHandler((error, _request, reply) => {
    const { statusCode = 500 } = error as { statusCode?: number };
    if (statusCode === 429) return refuse(reply, statusCode, 'too many requests');
    if (statusCode < 500) return refuse(reply, statusCode, 'the request cannot be answered');
    log.error({ err: error }, 'a request failed');
    return refuse(reply, 500, 'this service has a fault; its log says more');
  });
  return app;
}

/** What pages and people ask, from anywhere. */
async function addApi(
  api: FastifyInstance,
  { about, sampler, health }: HealthServerOptions,
  allowOrigin: AllowOrigin,
): Promise<void> {
  api.addHook('onRequest', async (request, reply) => allowOrigin(request, reply));
  await limitRate(api, health.rateLimitPerSecond);

  api.get(
    '/api/system/health',
    { schema: { response: both(healthSchema, 500) } },
    async (_request, reply) => {
      const sample = await sampler.sample();
      return reply.code(sample.value.httpStatus).send(healthBody(about, sample, new Date()));
    },
  );
  api.get('/api/system/version', { schema: { response: { 200: versionSchema } } }, async () =>
    versionBody(about, await sampler.sample()),
  );
  addBanner(api);
}

function both<S>(schema: S, otherStatus: 500 | 503) {
  return { 200: schema, [otherStatus]: schema };
}

function refuse(reply: FastifyReply, statusCode: number, error: string): FastifyReply {
  // It has the form of errorSchema. Written by hand: the schema of a route would drop the field.
  return reply
    .code(statusCode)
    .headers(securityHeaders)
    .header('content-type', 'application/json; charset=utf-8')
    .serializer((body: unknown) => JSON.stringify(body))
    .send({ error });
}

/** Answers what Node could not read as a request, and ends the connection. */
function refuseRaw(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [status, words] = rawRefusals[error.code ?? ''] ?? [400, 'Bad Request'];
  const body = JSON.stringify({ error: 'the request cannot be understood' });
  const headers = {
    ...securityHeaders,
    ...{ 'content-type': 'application/json; charset=utf-8', 'content-length': body.length },
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  if (socket.writable) socket.write(`HTTP/1.1 ${status} ${words}\r\n${lines.join('')}\r\n${body}`);
  socket.destroySoon();
}

const rawRefusals: Readonly<Record<string, readonly [status: number, words: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout'],
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large'],
};

/** What machines ask every few seconds; nobody wants to read that. */
const noise = new Set(['/livez', '/readyz', '/metrics']);
/** A client may send paths of kilobytes. */
const longestPath = 200;

/** Neither headers nor the query are logged: a client may put a token there by mistake. */
function logRequests(app: FastifyInstance, log: Log): void {
  app.addHook('onResponse', (request, reply, done) => {
    const path = request.url.split('?', 1)[0]!.slice(0, longestPath);
    const durationMs = Math.round(reply.elapsedTime);
    const facts = { method: request.method, path, status: reply.statusCode, durationMs };
    log[noise.has(path) ? 'debug' : 'info'](facts, 'answered');
    done();
  });
}
