/**
 * Format 2.0 as one file: what each file of the folder says about itself, and under `data` the rows
 * of every entity by its name. It is split into a folder, or made of one, row by row.
 */
import { rename } from 'node:fs/promises';
import { streamText } from './decode.ts';
import type { EntitySet } from './entity.ts';
import { envelope, type Metadata, refuseFormat } from './format.ts';
import { JsonTextError, readJson } from './json-stream.ts';
import { invalid } from './problems.ts';
import { readRows } from './read-file.ts';
import {
  type EntityFile,
  type FileEntry,
  indent,
  openEntityFile,
  openWriter,
  writeMetadata,
} from './write-file.ts';

/**
 * What stands in a file beside its rows, or null when it is no combined file (it has no
 * `export_version`). Reads the file to its end.
 *
 * @throws DeployError `MASTERDATA_INVALID` when it is not JSON or of a format that cannot be read.
 */
export async function readCombinedHead(path: string): Promise<Record<string, unknown> | null> {
  const head: Record<string, unknown> = {};
  for await (const { name, entity, value } of pieces(path)) {
    if (entity === null && name !== 'data') head[name] = value;
  }
  if (!('export_version' in head)) return null;
  const refusal = refuseFormat(String(head['export_version']));
  if (refusal !== null) throw invalid(path, `the master data cannot be read: ${refusal}`);
  return head;
}

/**
 * Writes a combined file as a folder below `dir`, which must exist.
 *
 * @throws DeployError `MASTERDATA_INVALID` when it lacks something, or has rows of no entity.
 */
export async function splitCombined(
  path: string,
  head: Readonly<Record<string, unknown>>,
  entities: EntitySet,
  dir: string,
): Promise<Metadata> {
  const parsed = envelope.safeParse(head);
  if (!parsed.success) {
    const names = parsed.error.issues.map((issue) => issue.path.join('.'));
    throw invalid(path, `the file lacks ${[...new Set(names)].join(', ')}`);
  }
  const about = parsed.data;
  const fileOf = new Map(entities.entities.map(({ name, file }) => [name, file]));
  const written: Record<string, FileEntry> = {};
  // The rows of an entity stand together: one file is open at a time.
  const open: { entity: string; file: EntityFile }[] = [];
  const finish = async () => {
    for (const { entity, file } of open.splice(0)) written[fileOf.get(entity)!] = await file.end();
  };
  try {
    for await (const { name, entity, index, value } of pieces(path)) {
      if (name !== 'data' || entity === null) continue;
      const file = fileOf.get(entity);
      if (file === undefined) throw invalid(path, `data.${entity} is that of no entity`);
      if (open[0]?.entity !== entity) {
        await finish();
        open.push({ entity, file: await openEntityFile(dir, file, about) });
      }
      if (index !== null) await open[0]!.file.add(value as object);
      else if (value !== null) throw invalid(path, `data.${entity} is not a list`);
    }
    await finish();
  } finally {
    for (const { file } of open) await file.abandon();
  }
  const counts = countsOf(head);
  for (const { name, file, missing } of entities.entities) {
    // DATA LOSS: an entity that is not there would look like one without rows, and take all of its table.
    if (written[file] === undefined && missing === 'delete' && counts[name] !== 0)
      throw invalid(path, `data has no rows of ${name}, and all of its table would go`);
    written[file] ??= await (await openEntityFile(dir, file, about)).end();
    const { count } = written[file];
    if (counts[name] !== undefined && counts[name] !== count)
      throw invalid(path, `data.${name} has ${count} rows, and counts says ${counts[name]}`);
  }
  const dbVersion = head['db_version'];
  const db_version = typeof dbVersion === 'string' ? dbVersion : '';
  return writeMetadata(dir, { ...about, db_version }, written);
}

/** How many rows the file says that it has of each entity; empty when it does not say. */
function countsOf(head: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const counts = head['counts'];
  return typeof counts === 'object' && counts !== null ? { ...counts } : {};
}

/** Writes a folder as one combined file, the same bytes for the same rows. */
export async function writeCombined(
  dir: string,
  metadata: Metadata,
  entities: EntitySet,
  path: string,
): Promise<void> {
  const { files, ...head } = metadata;
  const rowsOf = entities.entities.map(({ name, file }) => [name, files[file]?.count ?? 0]);
  const about = { ...head, counts: Object.fromEntries(rowsOf) };
  const writer = await openWriter(`${path}.part`);
  try {
    await writer.write(JSON.stringify({ ...about, data: {} }, null, 2).replace(/\{\}\n\}$/, '{'));
    let isFirst = true;
    for (const { name, file } of entities.entities) {
      await writer.write(`${isFirst ? '' : ','}\n    ${JSON.stringify(name)}: [`);
      isFirst = false;
      let count = 0;
      for await (const rows of readRows(dir, file)) {
        for (const { value } of rows) {
          await writer.write(`${count === 0 ? '' : ','}\n${indent(value as object, 6)}`);
          count += 1;
        }
      }
      await writer.write(count === 0 ? ']' : '\n    ]');
    }
    await writer.write('\n  }\n}\n');
    await writer.flush();
  } finally {
    await writer.close();
  }
  await rename(`${path}.part`, path);
}

type CombinedPiece = {
  readonly name: string;
  /** Of a piece of `data`. */
  readonly entity: string | null;
  /** Of a row; null for an entity whose value is no list of rows. */
  readonly index: number | null;
  readonly value: unknown;
};

async function* pieces(path: string): AsyncGenerator<CombinedPiece> {
  const enter = ([name, entity, index]: readonly (string | number)[]) =>
    name === undefined || (name === 'data' && (entity === undefined || index === undefined));
  try {
    for await (const some of readJson(streamText(path, path), enter)) {
      for (const { path: place, value } of some) {
        const [name, entity, index] = place;
        if (typeof name !== 'string') throw invalid(path, 'the file is not an object');
        yield {
          ...{ name, value },
          entity: typeof entity === 'string' ? entity : null,
          index: typeof index === 'number' ? index : null,
        };
      }
    }
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    throw invalid(path, `the file is not JSON: ${error.message}`);
  }
}
