/**
 * Keeps the last look at the database, so that a thousand requests cost no more than one. A new
 * look is taken when somebody asks and the last one is too old: one at a time, whoever asks.
 */

/** A look and how old it is. */
export type Sample<T> = {
  readonly value: T;
  readonly ageMs: number;
  /** A newer look is under way and takes long: the value may no longer be true. */
  readonly isStale: boolean;
};

export type Sampler<T> = {
  /** Gives a look that is younger than the cache time, or the best there is. */
  sample(): Promise<Sample<T>>;
  /** Gives a look that is younger than the cache time, or a new one, however long it takes. */
  current(): Promise<Sample<T>>;
};

export type SamplerOptions<T> = {
  /** Takes a look. Must end by itself; a rejection goes to those who ask. */
  readonly look: () => Promise<T>;
  /** How long a look is used again. */
  readonly cacheMs: number;
  /** How long an asker waits for a new look while there is an old one to fall back on. */
  readonly patienceMs?: number;
  /** Called with each new look and the one before. */
  readonly onLook?: (now: T, before: T | null) => void;
};

/** An older look is not worth an answer: then the asker waits to the end. */
const mostStaleMs = 10_000;

/** Gives a sampler that has not looked yet. */
export function makeSampler<T>(options: SamplerOptions<T>): Sampler<T> {
  const { look, cacheMs, patienceMs = 500, onLook } = options;
  let last: { readonly value: T; readonly takenAt: number } | null = null;
  let next: { readonly done: Promise<void>; readonly soon: Promise<void> } | null = null;

  async function refresh(): Promise<void> {
    // The value is true of the moment when the look began.
    const takenAt = performance.now();
    try {
      const value = await look();
      onLook?.(value, last?.value ?? null);
      last = { value, takenAt };
    } finally {
      next = null;
    }
  }

  function begin() {
    const done = refresh();
    let timer: NodeJS.Timeout;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patienceMs);
    });
    const soon = Promise.race([done.finally(() => clearTimeout(timer)), patience]);
    // Each asker awaits one of the two; a failure of the other is not news.
    for (const promise of [done, soon]) promise.catch(() => {});
    return { done, soon };
  }

  function give(isStale: boolean): Sample<T> {
    return { value: last!.value, ageMs: performance.now() - last!.takenAt, isStale };
  }

  function isYoungerThan(ms: number): boolean {
    return last !== null && performance.now() - last.takenAt < ms;
  }

  return {
    async sample() {
      if (isYoungerThan(cacheMs)) return give(false);
      next ??= begin();
      const mine = next;
      await (isYoungerThan(cacheMs + mostStaleMs) ? mine.soon : mine.done);
      return give(next === mine);
    },
    async current() {
      if (isYoungerThan(cacheMs)) return give(false);
      next ??= begin();
      await next.done;
      return give(false);
    },
  };
}
