/** Finds programs of this machine that tests start. */
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/** The path of the first of these names that PATH has. Throws when there is none. */
export function findProgram(...names: readonly string[]): string {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter(Boolean);
  const found = names
    .flatMap((name) => folders.map((folder) => path.join(folder, name)))
    .find(isExecutable);
  if (found === undefined) throw new Error(`${names.join(', ')} not found on PATH`);
  return found;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
