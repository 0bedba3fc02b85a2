import { join } from 'node:path';
import { makeCanonicalRows, makeDigest, nestedProblem } from './canonical.ts';
import { readText } from './decode.ts';
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

/** Master data whose metadata was read. Its files are checked while their rows are read. */
export type MasterdataSet = {
  readonly dir: string;
  readonly entities: EntitySet;
  readonly metadata: Metadata;
  /** In the order of `entities`. Formats of former times become this through transformers. */
  readonly data: readonly EntityRows[];
  /** Null until all was read: see `ReadSet`. */
  readonly digest: string | null;
};

/** Master data that was read once from its beginning to its end: whole, and of a known format. */
export type ReadSet = MasterdataSet & {
  /** SHA-256 of what it says: not of times, white space or the order of members. */
  readonly digest: string;
};

/**
 * Opens a folder of master data in format 2.0: every declared entity has its file, and every file
 * an entity. A sync finds everything else that is wrong with the files; who has to know before
 * whether anything changed reads them with `readMasterdata`.
 *
 * @throws DeployError `MASTERDATA_INVALID` with all problems.
 */
export async function openSet(dir: string, entities: EntitySet): Promise<MasterdataSet> {
  const problems = makeProblems(dir);
  const set = await openFiles(dir, entities, problems);
  problems.throwIfAny();
  return set;
}

/**
 * Reads a folder of master data in format 2.0 and checks it against its metadata: every declared
 * entity has its file, every file its rows and its hash. Touches no database; values are checked
 * by `checkMasterdata`.
 *
 * @throws DeployError `MASTERDATA_INVALID` with all problems.
 */
export async function readMasterdata(dir: string, entities: EntitySet): Promise<ReadSet> {
  const problems = makeProblems(dir);
  const set = await openFiles(dir, entities, problems);
  const digest = makeDigest();
  digest.add(entities.digest);
  for (const { entity, rows } of set.data) {
    digest.add(entity.name);
    const canonical = makeCanonicalRows();
    try {
      for await (const some of rows()) {
        // Before they are gone into: thousands of brackets would be more than the stack takes.
        const plain = some.filter(({ index, value }) => {
          const problem = nestedProblem(value);
          if (problem !== null) problems.add(entity.file, index, null, problem);
          return problem === null;
        });
        digest.add(...plain.map(({ value }) => canonical(value)));
      }
    } catch (error) {
      collect(problems, entity.file, error);
    }
  }
  problems.throwIfAny();
  return { ...set, digest: digest.hex() };
}

async function openFiles(
  dir: string,
  entities: EntitySet,
  problems: Problems,
): Promise<MasterdataSet> {
  const metadata = await readMetadata(dir);
  checkFiles(entities, metadata, problems);
  const data = entities.entities.flatMap((entity) => {
    const listed = metadata.files[entity.file];
    if (listed === undefined) return [];
    return [{ entity, count: listed.count, rows: () => checkedRows(dir, entity.file, listed) }];
  });
  return { dir, entities, metadata, data, digest: null };
}

async function readMetadata(dir: string): Promise<Metadata> {
  const where = join(dir, METADATA_FILE);
  const text = await readText(where);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
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

/** A file that is not the one of the metadata, or was changed since, must not get into a database. */
async function* checkedRows(
  dir: string,
  file: string,
  listed: { readonly sha256: string; readonly count: number },
): AsyncGenerator<readonly FileRow[]> {
  const messages = compareFacts(listed, yield* readRows(dir, file));
  if (messages.length > 0) throw invalid(file, messages.join('; '));
}

function collect(problems: Problems, file: string, error: unknown): void {
  const { code, message } = error as { code?: unknown; message: string };
  if (code !== 'MASTERDATA_INVALID') throw error;
  problems.add(file, null, null, message);
}
