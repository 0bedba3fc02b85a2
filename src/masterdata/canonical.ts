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

/** `canonicalJson` of one row after the other, quick for flat ones that have the same members. */
export function makeCanonicalRows(): (row: unknown) => string {
  let members: string[] = [];
  let sorted: string[] = [];

  return (row) => {
    if (row === null || typeof row !== 'object' || Array.isArray(row)) return canonicalJson(row);
    const record = row as Readonly<Record<string, unknown>>;
    const own = Object.keys(record);
    if (own.length !== members.length || own.some((name, at) => name !== members[at])) {
      members = own;
      sorted = own.toSorted();
    }
    if (Object.hasOwn(record, '__proto__')) return canonicalJson(row);
    const flat: Record<string, unknown> = {};
    for (const name of sorted) {
      const value = record[name];
      if (value !== null && typeof value === 'object') return canonicalJson(row);
      flat[name] = value;
    }
    return JSON.stringify(flat);
  };
}

/** Why a row cannot be one of master data, whatever its entity; null for none. Looks into no nested value. Pure. */
export function nestedProblem(row: unknown): string | null {
  if (row === null || typeof row !== 'object') return null;
  if (Array.isArray(row)) return 'this is not an object';
  const record = row as Readonly<Record<string, unknown>>;
  for (const name in record) {
    const value = record[name];
    if (value !== null && typeof value === 'object') return `${name}: not a single value`;
  }
  return null;
}

/** A SHA-256 to which parts are added; none can run into the next. */
export type Digest = { add(...parts: readonly string[]): void; hex(): string };

/** Makes an empty digest. */
export function makeDigest(): Digest {
  const hash: Hash = createHash('sha256');
  return {
    add(...parts) {
      // One call for many: each costs more than hashing a row.
      hash.update(parts.map((part) => `${Buffer.byteLength(part)}:${part}`).join(''));
    },
    hex: () => hash.digest('hex'),
  };
}
