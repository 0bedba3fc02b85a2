import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeCanonicalRows, makeDigest } from './canonical.ts';
import type { Entity, EntitySet } from './entity.ts';
import { METADATA_FILE, type Metadata, metadataFile, refuseFormat } from './format.ts';
import { invalid, makeProblems, type Problems } from './problems.ts';
import { type FileFacts, type FileRow, readRows } from './read-file.ts';

/** The rows of one entity. They are read from the file each time. */
export type EntityRows = {
  readonly entity: Entity;
  readonly count: number;
  /** Some rows at a time. */
  rows(): AsyncGenerator<readonly FileRow[]>;
};

/** Master data that was read once from its beginning to its end: whole, and of a known format. */
export type MasterdataSet = {
  readonly dir: string;
  readonly entities: EntitySet;
  readonly metadata: Metadata;
  /** In the order of `entities`. Formats of former times become this through transformers. */
  readonly data: readonly EntityRows[];
  /** SHA-256 of what it says: not of times, white space or the order of members. */
  readonly digest: string;
};

/**
 * Reads a folder of master data in format 2.0 and checks it against its metadata: every declared
 * entity has its file, every file its rows and its hash. Touches no database; values are checked
 * by `checkMasterdata`.
 *
 * @throws DeployError `MASTERDATA_INVALID` with all problems.
 */
export async function readMasterdata(dir: string, entities: EntitySet): Promise<MasterdataSet> {
  const metadata = await readMetadata(dir);
  const problems = makeProblems(dir);
  checkFiles(entities, metadata, problems);
  const digest = makeDigest();
  digest.add(entities.digest);
  for (const entity of entities.entities) {
    const listed = metadata.files[entity.file];
    if (listed === undefined) continue;
    digest.add(entity.name);
    try {
      const facts = await readThrough(dir, entity.file, (rows) => digest.add(...rows));
      for (const message of compareFacts(listed, facts)) {
        problems.add(entity.file, null, null, message);
      }
    } catch (error) {
      collect(problems, entity.file, error);
    }
  }
  problems.throwIfAny();
  return {
    ...{ dir, entities, metadata, digest: digest.hex() },
    data: entities.entities.map((entity) => {
      const listed = metadata.files[entity.file]!;
      return {
        entity,
        count: listed.count,
        rows: () => checkedRows(dir, entity.file, listed.sha256),
      };
    }),
  };
}

async function readMetadata(dir: string): Promise<Metadata> {
  const where = join(dir, METADATA_FILE);
  let json: unknown;
  try {
    json = JSON.parse(await readFile(where, 'utf8'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw invalid(where, 'the metadata cannot be read', error);
    throw invalid(where, 'the metadata is not JSON');
  }
  const exportVersion = (json as { export_version?: unknown } | null)?.export_version;
  if (typeof exportVersion !== 'string') throw invalid(where, 'the metadata has no export_version');
  const refusal = refuseFormat(exportVersion);
  if (refusal !== null) throw invalid(where, `the master data cannot be read: ${refusal}`);
  const parsed = metadataFile.safeParse(json);
  if (parsed.success) return parsed.data;
  const names = parsed.error.issues.map(({ path }) => path.join('.'));
  throw invalid(where, `the metadata is not well formed in ${[...new Set(names)].join(', ')}`);
}

function checkFiles(entities: EntitySet, metadata: Metadata, problems: Problems): void {
  const declared = entities.entities.map(({ file }) => file);
  for (const file of declared.filter((name) => metadata.files[name] === undefined)) {
    problems.add(METADATA_FILE, null, null, `${file} is not listed, and an entity needs it`);
  }
  for (const file of Object.keys(metadata.files).filter((name) => !declared.includes(name))) {
    problems.add(METADATA_FILE, null, null, `${file} is listed, and is that of no entity`);
  }
}

async function readThrough(
  dir: string,
  file: string,
  take: (rows: readonly string[]) => void,
): Promise<FileFacts> {
  const rows = readRows(dir, file);
  const canonical = makeCanonicalRows();
  for (;;) {
    const next = await rows.next();
    if (next.done) return next.value;
    take(next.value.map(({ value }) => canonical(value)));
  }
}

function compareFacts(listed: { sha256: string; count: number }, facts: FileFacts): string[] {
  const refusal = refuseFormat(String(facts.around['export_version']));
  return [
    ...(refusal === null ? [] : [refusal]),
    ...(facts.sha256 === listed.sha256 ? [] : ['the file is not the one of metadata.json: sha256']),
    ...(facts.count === listed.count
      ? []
      : [`the file has ${facts.count} rows, and metadata.json says ${listed.count}`]),
  ];
}

/** The rows again: a file that was changed since it was checked must not get into a database. */
async function* checkedRows(
  dir: string,
  file: string,
  sha256: string,
): AsyncGenerator<readonly FileRow[]> {
  const facts = yield* readRows(dir, file);
  if (facts.sha256 !== sha256) throw invalid(file, 'the file was changed while it was read');
}

function collect(problems: Problems, file: string, error: unknown): void {
  const { code, message } = error as { code?: unknown; message: string };
  if (code !== 'MASTERDATA_INVALID') throw error;
  problems.add(file, null, null, message);
}
