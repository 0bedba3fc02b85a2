import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { streamText } from './decode.ts';
import { envelope } from './format.ts';
import { JsonTextError, readJson } from './json-stream.ts';
import { invalid } from './problems.ts';

/** One row of a file, with its place in the file's list. */
export type FileRow = { readonly index: number; readonly value: unknown };

/** What is known of a file after it was read to its end. */
export type FileFacts = {
  readonly sha256: string;
  readonly count: number;
  /** What stands around the rows, without them. */
  readonly around: Readonly<Record<string, unknown>>;
};

/**
 * Gives the rows of one file of format 2.0, some at a time and never all of them, and at the end
 * the file's hash. A `data` of null, which the original writes for an empty list, has no rows.
 *
 * @throws DeployError `MASTERDATA_INVALID` when the file cannot be read or has another shape.
 */
export async function* readRows(
  dir: string,
  file: string,
): AsyncGenerator<readonly FileRow[], FileFacts> {
  const hash = createHash('sha256');
  const around: Record<string, unknown> = {};
  let count = 0;
  try {
    const pieces = readJson(streamText(join(dir, file), file, hash), ([name, index]) =>
      index === undefined ? name === undefined || name === 'data' : false,
    );
    for await (const some of pieces) {
      const rows: FileRow[] = [];
      for (const { path, value } of some) {
        const [name, index] = path;
        if (name === 'data' && typeof index === 'number') rows.push({ index, value });
        else if (name === 'data') {
          if (value !== null) throw invalid(file, 'data is not a list');
        } else if (typeof name === 'string') around[name] = value;
        else throw invalid(file, 'the file is not an object with export_version and data');
      }
      count += rows.length;
      if (rows.length > 0) yield rows;
    }
  } catch (error) {
    throw readFailure(file, error);
  }
  const parsed = envelope.safeParse(around);
  if (!parsed.success) {
    const names = parsed.error.issues.map(({ path }) => path.join('.'));
    throw invalid(file, `the file lacks ${[...new Set(names)].join(', ')}`);
  }
  return { sha256: hash.digest('hex'), count, around };
}

function readFailure(file: string, error: unknown): unknown {
  if (error instanceof JsonTextError) {
    const at = error.path.length === 0 ? '' : ` after ${error.path.join('.')}`;
    return invalid(file, `the file is not JSON${at}: ${error.message}`);
  }
  return error;
}
