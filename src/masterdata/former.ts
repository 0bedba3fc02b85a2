/**
 * Formats before 2.0. What they looked like is the application's: `formats.ts` beside its
 * `entities.json` recognises them and has the chain of steps, each pure, from one to the next.
 * Its code runs, so it is only ever taken from the image's own folder, never from a package.
 */
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readText } from './decode.ts';
import { EXPORT_VERSION, METADATA_FILE } from './format.ts';
import { invalid } from './problems.ts';

export type FormerRow = Readonly<Record<string, unknown>>;

/** Rows by file name, or by member of a single file. */
export type FormerFiles = Readonly<Record<string, readonly FormerRow[]>>;

/** One step of the chain. Pure; `note` tells a person what was left out or decided. */
export type FormatStep = {
  readonly from: string;
  readonly to: string;
  readonly convert: (files: FormerFiles, note: (text: string) => void) => FormerFiles;
};

/** What `formats.ts` of an application exports. */
export type FormatChain = {
  /** Which format it is, by what is there; null when it is none that the chain knows. */
  readonly recognise: (files: FormerFiles, kind: 'file' | 'folder') => string | null;
  readonly steps: readonly FormatStep[];
};

/** How master data of a former format became 2.0. */
export type Conversion = {
  readonly from: string;
  /** e.g. `['1.4 → 1.5', '1.5 → 2.0']`. */
  readonly steps: readonly string[];
  readonly notes: readonly string[];
};

/** Former formats were small; this one is held in memory. */
const MOST_BYTES = 256 * 2 ** 20;

/**
 * Imports the chain of an application, or gives null when it has none.
 *
 * @throws DeployError `MASTERDATA_INVALID` when it cannot be imported or exports something else.
 */
export async function loadFormats(dir: string): Promise<FormatChain | null> {
  const file = join(dir, 'formats.ts');
  if (!existsSync(file)) return null;
  const loaded: Partial<FormatChain> = await import(pathToFileURL(file).href).catch((cause) => {
    throw invalid(file, 'the former formats cannot be imported', cause);
  });
  const { recognise, steps } = loaded;
  if (typeof recognise !== 'function' || !Array.isArray(steps)) {
    throw invalid(file, 'formats.ts exports a function recognise and a list steps');
  }
  return { recognise, steps };
}

/**
 * Reads master data of a former format as it is: a folder of JSON lists, or one file of them.
 *
 * @throws DeployError `MASTERDATA_INVALID` when something is not JSON, not a list of objects, or too big.
 */
export async function readFormer(path: string, kind: 'file' | 'folder'): Promise<FormerFiles> {
  const isRows = (name: string) =>
    name.endsWith('.json') && !name.startsWith('entities.') && name !== METADATA_FILE;
  const names = kind === 'file' ? [path] : (await readdir(path)).filter(isRows).sort();
  const files = new Map<string, readonly FormerRow[]>();
  let left = MOST_BYTES;
  for (const name of names) {
    const file = kind === 'file' ? path : join(path, name);
    left -= (await stat(file)).size;
    if (left < 0) throw invalid(path, 'master data of a former format may have 256 MiB at most');
    const json = parse(await readText(file), file);
    if (kind === 'folder') files.set(name, listOf(json, file));
    else {
      for (const [member, value] of Object.entries(json as object))
        files.set(member, listOf(value, `${file} (${member})`));
    }
  }
  // As own members, whatever they are called.
  return Object.fromEntries(files);
}

/**
 * Takes files of a former format through the steps up to the current one. Pure.
 *
 * @throws DeployError `MASTERDATA_INVALID` when no step leads on from `from`.
 */
export function convertFormer(
  chain: FormatChain,
  from: string,
  files: FormerFiles,
): { readonly files: FormerFiles; readonly conversion: Conversion } {
  const notes: string[] = [];
  const taken: string[] = [];
  let current = files;
  let version = from;
  while (version !== EXPORT_VERSION) {
    const step = chain.steps.find((each) => each.from === version);
    if (step === undefined || taken.length > chain.steps.length) {
      throw invalid('formats.ts', `no step leads from format ${version} to ${EXPORT_VERSION}`);
    }
    current = convert(step, current, (text) => notes.push(text));
    taken.push(`${step.from} → ${step.to}`);
    version = step.to;
  }
  return { files: current, conversion: { from, steps: taken, notes } };
}

/** Whatever a step stumbles over is in the data: they are not what it was recognised as. */
function convert(step: FormatStep, files: FormerFiles, note: (text: string) => void): FormerFiles {
  try {
    return step.convert(files, note);
  } catch (cause) {
    const where = `formats.ts (${step.from} → ${step.to})`;
    throw invalid(where, `these are not master data of format ${step.from}`, cause);
  }
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message shows a piece of the text.
    throw invalid(file, 'the file is not JSON');
  }
}

/** The original wrote null for an empty list. */
function listOf(given: unknown, where: string): readonly FormerRow[] {
  // A list may stand in an envelope, as those of 2.0 do.
  const isEnvelope = isRow(given) && 'data' in given;
  const value = isEnvelope ? given['data'] : given;
  if (value === null) return [];
  if (Array.isArray(value) && value.every(isRow)) return value;
  throw invalid(where, 'this is not a list of objects');
}

function isRow(row: unknown): row is FormerRow {
  return row !== null && typeof row === 'object' && !Array.isArray(row);
}
