import type { Db } from '../database/connect.ts';
import { readKeyRanges } from '../database/key-ranges.ts';
import { hashTables } from '../database/value-hash.ts';
import { digestOf, fingerprintSchema } from '../schema/fingerprint.ts';
import type { ObjectKey } from '../schema/model.ts';
import { readSchema } from '../schema/read.ts';
import { partsOfTables } from './dump-plan.ts';
import { MANIFEST_FORMAT, type Manifest, type ManifestTable } from './manifest.ts';
import type { OnProgress } from './progress.ts';
import {
  readSequenceStates,
  readTableList,
  type SequenceState,
  type TableList,
} from './read-tables.ts';

/** What a schema holds, as far as a manifest says it: structure, rows, counters. */
export type Contents = Pick<Manifest, 'sequences' | 'objects'> & {
  readonly tables: readonly Omit<ManifestTable, 'writer'>[];
};

/** What is read of a schema besides its rows. */
export type Outline = {
  readonly list: TableList;
  readonly states: readonly SequenceState[];
  readonly fingerprints: ReadonlyMap<ObjectKey, string>;
};

/** Reads structure and counters of `schema`; no rows. Takes no lock. */
export async function readOutline(db: Db, schema: string): Promise<Outline> {
  const list = await readTableList(db, schema);
  const states = await readSequenceStates(db, schema, list.sequences);
  return { list, states, fingerprints: fingerprintSchema(await readSchema(db, schema)) };
}

/** Reads all that `schema` holds, hashing every row. All of `dbs` must see the same rows. */
export async function readContents(
  dbs: readonly Db[],
  schema: string,
  options: SharedHashing = {},
): Promise<Contents> {
  return hashShared(dbs, schema, await readOutline(dbs[0]!, schema), options);
}

/** Adds row counts and value hashes to an outline; the connections share the work. */
export async function hashShared(
  dbs: readonly Db[],
  schema: string,
  outline: Outline,
  options: SharedHashing,
): Promise<Contents> {
  const parts = dbs.length === 1 ? new Map<string, number>() : partsOfTables(outline.list.tables);
  const ranges = await readKeyRanges(dbs[0]!, { schema, parts });
  return withHashes(dbs, schema, outline, { ...options, ranges });
}

export type HashingOptions = {
  readonly onProgress?: OnProgress | undefined;
  /** That of the manifest with which the hashes are compared; left out: that of a new set. */
  readonly format?: Manifest['format'];
  /** Conditions that cut large tables, so that several connections hash them. */
  readonly ranges?: ReadonlyMap<string, readonly string[]>;
};

type SharedHashing = Pick<HashingOptions, 'onProgress' | 'format'>;

/** Adds row counts and value hashes to an outline of `schema`. All of `dbs` must see the same rows. */
export async function withHashes(
  dbs: readonly Db[],
  schema: string,
  outline: Outline,
  { onProgress = () => {}, format = MANIFEST_FORMAT, ranges }: HashingOptions = {},
): Promise<Contents> {
  const { list, states, fingerprints } = outline;
  // The largest first: the last one to end should be small.
  const bySize = list.tables.toSorted((a, b) => b.dataBytes - a.dataBytes);
  const names = bySize.map(({ name }) => name);
  const hashes = await hashTables(dbs, schema, names, {
    ...{ format, ...(ranges === undefined ? {} : { ranges }) },
    onTable: (done, of, what) => onProgress({ phase: 'hash', done, of, what }),
  });
  const tables = list.tables.map(({ name, engine, autoIncrement }) => {
    const { rows, hash } = hashes.get(name)!;
    const structure = fingerprints.get(`table:${name}`) ?? '';
    return { name, rows, hash, structure, autoIncrement, engine };
  });
  return { tables, sequences: [...states], objects: objectFingerprints(fingerprints) };
}

/** Fingerprints of all that is not a table, by key. Pure. */
export function objectFingerprints(
  fingerprints: ReadonlyMap<ObjectKey, string>,
): Contents['objects'] {
  return [...fingerprints]
    .filter(([key]) => !key.startsWith('table:'))
    .map(([key, fingerprint]) => ({ key, fingerprint }));
}

/** One hash over the whole structure of a schema. Pure. */
export function structureDigest(contents: Contents): string {
  const tables = contents.tables.map(
    ({ name, structure }) => [`table:${name}`, structure] as const,
  );
  const objects = contents.objects.map(({ key, fingerprint }) => [key, fingerprint] as const);
  return digestOf(new Map<ObjectKey, string>([...tables, ...objects] as [ObjectKey, string][]));
}
