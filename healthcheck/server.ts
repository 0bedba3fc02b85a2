/** The HTTP server of the sidecar: hands out what the sampler knows. Knows no database. */
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import type { Config } from '../src/config/config.ts';
import type { Log } from '../src/config/log.ts';
import { addBanner } from './banner-route.ts';
import { type About, healthBody, readyBody, versionBody } from './bodies.ts';
import type { Health } from './decide-health.ts';
import { addHeaders, allowOrigin, limitRate } from './guard.ts';
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

/** What stands further left in X-Forwarded-For than the nearest proxy's word, a client may have written. */
const trustNearest = (_address: string, hop: number) => hop === 0;

/** Gives the server, not listening yet. */
export function makeHealthServer(options: HealthServerOptions): FastifyInstance {
  const { about, sampler, health, log } = options;
  const metrics = makeMetrics(about, health.metricsPrefix);
  const app = fastify({
    ...limits,
    logger: false,
    trustProxy: health.trustProxy ? trustNearest : false,
    frameworkErrors: (_error, _request, reply) => {
      void refuse(reply, 400, 'the request cannot be understood');
    },
  });
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
  app.register(async (api) => addApi(api, options));

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
async function addApi(api: FastifyInstance, options: HealthServerOptions): Promise<void> {
  const { about, sampler, health } = options;
  allowOrigin(api, health.baseUrl);
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
    .header('content-type', 'application/json; charset=utf-8')
    .serializer((body: unknown) => JSON.stringify(body))
    .send({ error });
}

/** Neither headers nor the query are logged: a client may put a token there by mistake. */
function logRequests(app: FastifyInstance, log: Log): void {
  app.addHook('onResponse', (request, reply, done) => {
    const path = request.url.split('?', 1)[0];
    const durationMs = Math.round(reply.elapsedTime);
    log.debug({ method: request.method, path, status: reply.statusCode, durationMs }, 'answered');
    done();
  });
}
