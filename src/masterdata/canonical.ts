import { createHash, type Hash } from 'node:crypto';

/** JSON text in which the order of an object's members does not count. Pure. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (part === null || typeof part !== 'object' || Array.isArray(part)) return part;
    return Object.fromEntries(
      Object.entries(part).sort(([a], [b]) => (a < b ? -1 : Number(a > b))),
    );
  });
}

/** A SHA-256 to which parts are added; none can run into the next. */
export type Digest = { add(part: string): void; hex(): string };

/** Makes an empty digest. */
export function makeDigest(): Digest {
  const hash: Hash = createHash('sha256');
  return {
    add(part) {
      hash.update(`${Buffer.byteLength(part)}:`).update(part);
    },
    hex: () => hash.digest('hex'),
  };
}
