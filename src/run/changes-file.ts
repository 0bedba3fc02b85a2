/** What production had of the rows that a sync changes: one line each, in a file beside the report. */
import { existsSync } from 'node:fs';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import path from 'node:path';
import type { ChangeSink } from '../masterdata/changes.ts';

export type ChangesFile = {
  readonly sink: ChangeSink;
  /** Writes everything to the disk: before the commit, so that no crash can take it. */
  flush(): Promise<void>;
  /** Removes what was written, when nothing of it came to be. */
  discard(): Promise<void>;
  /** Name of the file below the folder of reports; null when no row was changed or deleted. */
  name(): string | null;
};

// Written in large pieces: one call per row takes longer than comparing it.
const CHUNK_CHARS = 1 << 18;

/**
 * Makes the file of one run; nothing is written before the first change. A process that goes on
 * with a run whose sync is done finds the file of the one before. What cannot be written is told to
 * `onFailure`, once: the backup has it, too, so that it ends no run.
 */
export function makeChangesFile(
  dir: string,
  runId: string,
  onFailure: (error: unknown) => void,
): ChangesFile {
  const file = path.join(dir, `masterdata_${runId}.jsonl`);
  let handle: FileHandle | null = null;
  let text = '';
  let failed = false;
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    if (failed) return;
    try {
      await work();
    } catch (error) {
      failed = true;
      onFailure(error);
    }
  };
  const begin = async (): Promise<FileHandle> => {
    await mkdir(dir, { recursive: true });
    return open(file, 'w', 0o600);
  };
  const write = async (): Promise<void> => {
    handle ??= await begin();
    await handle.write(text);
    text = '';
  };
  return {
    async sink(entity, change) {
      if (failed) return;
      text += `${JSON.stringify({ entity, ...change })}\n`;
      if (text.length > CHUNK_CHARS) await attempt(write);
    },
    flush: () =>
      attempt(async () => {
        if (text !== '') await write();
        await handle?.sync();
        await handle?.close();
        handle = null;
      }),
    discard: () =>
      attempt(async () => {
        text = '';
        if (handle === null) return;
        await handle.close();
        handle = null;
        await rm(file, { force: true });
      }),
    name: () => (!failed && existsSync(file) ? path.basename(file) : null),
  };
}
