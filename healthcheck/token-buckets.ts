/**
 * The store of the rate limit: for each client a bucket of tokens that fills steadily. A fixed
 * window, the limiter's own store, would keep a client out until its end, and let twice as many
 * through at its edge.
 */
import type { FastifyRateLimitStore } from '@fastify/rate-limit';

type Bucket = { readonly tokens: number; readonly at: number };

/** Of so many clients the bucket is known; who comes back after that many others begins anew. */
const mostClients = 5_000;

/**
 * A store for `@fastify/rate-limit`: `max` tokens at once, and as many again in each `timeWindow`. A class,
 * as that library wants one.
 */
export class TokenBuckets implements FastifyRateLimitStore {
  /** In the order in which the clients were last seen. */
  readonly #buckets = new Map<string, Bucket>();
  readonly #now: () => number;

  /** `now`: milliseconds of a clock that never goes back. */
  constructor(_options: unknown = {}, now = () => performance.now()) {
    this.#now = now;
  }

  /** Takes a token of a client; `current` is above `max` when there was none, and `ttl` the wait for one. */
  incr(
    client: string,
    callback: (error: Error | null, result?: { current: number; ttl: number }) => void,
    timeWindow: number,
    max: number,
  ): void {
    const now = this.#now();
    const perMs = max / timeWindow;
    const before = this.#buckets.get(client) ?? { tokens: max, at: now };
    const there = Math.min(max, before.tokens + (now - before.at) * perMs);
    const isAllowed = there >= 1;
    const tokens = isAllowed ? there - 1 : there;
    this.#buckets.delete(client);
    this.#buckets.set(client, { tokens, at: now });
    if (this.#buckets.size > mostClients) this.#forgetOldest();
    callback(null, {
      current: isAllowed ? max - Math.floor(tokens) : max + 1,
      ttl: tokens >= 1 ? 0 : (1 - tokens) / perMs,
    });
  }

  /** All routes share the buckets. */
  child(): this {
    return this;
  }

  #forgetOldest(): void {
    for (const [oldest] of this.#buckets) {
      this.#buckets.delete(oldest);
      return;
    }
  }
}
