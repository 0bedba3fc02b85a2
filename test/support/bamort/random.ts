/** Numbers that look random and are the same for the same seed, so that a failing test fails again. */
export type Random = {
  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number;
  /** One of the items. */
  pick<T>(items: readonly T[]): T;
  /** True in about `percent` of 100 calls. */
  chance(percent: number): boolean;
  /** `length` bytes that no packer makes smaller. */
  bytes(length: number): Buffer;
};

/** Makes a source of random numbers (mulberry32: small, and good enough for rows of a test). */
export function makeRandom(seed: number): Random {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const int = (min: number, max: number) => min + Math.floor(next() * (max - min + 1));
  return {
    int,
    pick: (items) => items[int(0, items.length - 1)]!,
    chance: (percent) => next() * 100 < percent,
    bytes(length) {
      const buffer = Buffer.allocUnsafe(length);
      for (let at = 0; at < length; at++) buffer[at] = next() * 256;
      return buffer;
    },
  };
}
