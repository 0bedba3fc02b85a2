/** Serves `banner.js` as it is: a page includes it with one script tag. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { FastifyInstance } from 'fastify';

/** Pages load it often, releases change it seldom: so it is kept, and asked for again with its ETag. */
const keptSeconds = 300;

/** Adds `GET /api/system/banner.js` to `api`. */
export function addBanner(api: FastifyInstance): void {
  const script = readFileSync(path.join(import.meta.dirname, 'banner.js'));
  const etag = `"${createHash('sha256').update(script).digest('base64url').slice(0, 22)}"`;

  api.get('/api/system/banner.js', async (request, reply) => {
    reply.headers({
      ...{ etag, 'cache-control': `public, max-age=${keptSeconds}` },
      // Any page may include it: it holds no data.
      'cross-origin-resource-policy': 'cross-origin',
    });
    const known = request.headers['if-none-match']?.split(',').map((one) => one.trim()) ?? [];
    if (known.some((one) => one.replace(/^W\//, '') === etag)) return reply.code(304).send();
    return reply.type('text/javascript; charset=utf-8').send(script);
  });
}
