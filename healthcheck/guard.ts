/** What stands between the public and the answers: headers, one foreign origin, a rate limit. */
import { isIP } from 'node:net';
import rateLimit, { normalizeIP, type RateLimitPluginOptions } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { TokenBuckets } from './token-buckets.ts';

/** An answer is true for a moment only, and is data: nobody may keep, frame or run it. */
export const securityHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

/** Adds the security headers to every answer, also to refusals. */
export function addHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(securityHeaders);
    done();
  });
}

/** Lets a page of an origin read an answer. */
export type AllowOrigin = (request: FastifyRequest, reply: FastifyReply) => void;

/** Gives what lets pages of BASE_URL, and of no other origin, read an answer. */
export function makeAllowOrigin(baseUrl: string | null): AllowOrigin {
  const allowed = baseUrl === null ? null : new URL(baseUrl).origin;
  return (request, reply) => {
    reply.header('vary', 'Origin');
    if (allowed === null || request.headers.origin !== allowed) return;
    reply.header('access-control-allow-origin', allowed);
    reply.header('access-control-expose-headers', 'retry-after');
  };
}

/** So many requests may come at once: a page that loads, its reload, and its neighbours. */
const burst = 10;

/**
 * Limits the requests of one client address to `api`: in the long run `perSecond`, at once ten.
 * This machine itself is exempt: probes and a person who looks around.
 */
export async function limitRate(api: FastifyInstance, perSecond: number): Promise<void> {
  const options: RateLimitPluginOptions = {
    max: burst,
    timeWindow: Math.ceil((burst / perSecond) * 1000),
    store: TokenBuckets,
    keyGenerator: ({ ip }) => clientOf(ip),
    allowList: isFromHere,
    errorResponseBuilder: (_request, { statusCode }) =>
      Object.assign(new Error('too many requests'), { statusCode }),
  };
  await api.register(rateLimit, options);
}

/**
 * The client that an address stands for: of IPv6 a network, in which one client has as many
 * addresses as it likes. A proxy may name something that is no address: that is cut short. Pure.
 */
export function clientOf(address: string): string {
  return isIP(address) === 0 ? address.slice(0, 64) : normalizeIP(address, 64);
}

/** A request that names another address came through a proxy, which may run on this machine. */
function isFromHere({ ip, socket }: FastifyRequest): boolean {
  return ip === socket.remoteAddress && isLoopback(ip);
}

/** True for addresses of this machine, also for IPv4 in IPv6 form. Pure. */
export function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\.\d+\.\d+\.\d+$/i.test(address);
}
