/** The source files that the tidy tests read. */

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The root of the repository. */
export const root = join(import.meta.dirname, '../../..');

/** One file: its path from the root, with forward slashes, and its text. */
export type Source = { readonly path: string; readonly text: string };

/** Reads the files that match one of the patterns, sorted by path. */
export function readSources(...patterns: readonly string[]): Source[] {
  return globSync([...patterns], { cwd: root })
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** The number of the line, from 1, at an offset of a text. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** The text with its comments blanked out; every line keeps its number. */
export function withoutComments(text: string): string {
  return text.replaceAll(/^\s*(\/\*\*?|\*|\/\/).*$/gm, '');
}
