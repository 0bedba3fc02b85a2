/** Bytes of files as text: UTF-8 or nothing, so that no letter silently becomes another one. */
import type { Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { invalid } from './problems.ts';

/**
 * Gives the text of a file piece by piece, without a byte order mark; all its bytes go into `hash`.
 *
 * @throws DeployError `MASTERDATA_INVALID`, named `where`, when it cannot be read or is not UTF-8.
 */
export async function* streamText(
  path: string,
  where: string,
  hash?: Hash,
): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) {
      hash?.update(chunk as Buffer);
      yield decoder.decode(chunk as Buffer, { stream: true });
    }
    yield decoder.decode();
  } catch (error) {
    throw failure(where, error);
  }
}

/** The text of a small file, as `streamText` gives it. */
export async function readText(path: string, where = path): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
  } catch (error) {
    throw failure(where, error);
  }
}

function failure(where: string, error: unknown): unknown {
  if (error instanceof TypeError && 'code' in error) return invalid(where, 'the file is not UTF-8');
  const isOfFiles = typeof (error as NodeJS.ErrnoException).syscall === 'string';
  return isOfFiles ? invalid(where, 'the file cannot be read', error) : error;
}
