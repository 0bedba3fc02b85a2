import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { DeployError } from '../errors/deploy-error.ts';
import type { ObjectKey } from '../schema/model.ts';

/**
 * The manifest says what a set holds, and is the last file written: a folder without one is no
 * set. It is JSON, and its last field `seal` is the SHA-256 of its own text with an empty seal,
 * so that a flipped bit in it is seen like one in any other file.
 */
export const MANIFEST_FILE = 'manifest.json';
/** What new sets have. 1 had other hashes of rows. */
export const MANIFEST_FORMAT = 2;

const text = z.string();
const count = z.number().int().nonnegative();
const hex = z.string().regex(/^[0-9a-f]+$/);

const manifestSchema = z.object({
  /** Also that of the hashes of rows (`HashFormat`). */
  format: z.literal([1, MANIFEST_FORMAT]),
  /** Name of the folder, e.g. `backup_20260116_103000`. */
  name: text,
  database: text,
  /** ISO 8601, UTC, by the clock of the machine that took it. */
  createdAt: z.iso.datetime(),
  /** One more than that of every set that lay beside it: the order of sets, whatever the clock says. */
  sequence: count,
  /** Of the database as it is in the set; null when it had no history. */
  schemaVersion: text.nullable(),
  migrationNumber: count.nullable(),
  server: z.object({ version: text, variables: z.record(text, text) }),
  tool: z.object({ version: text, dumpVersion: text }),
  charset: text,
  collation: text,
  comment: text,
  /** Accounts that its objects run as: whoever restores them must be allowed to name these. */
  definers: z.array(text),
  /**
   * In the order in which they are loaded: `structure` has tables without their secondary keys,
   * which `keys` adds after the rows; a table's rows may be in several files, and those of all
   * tables may be loaded at the same time. A table without rows has no file.
   */
  files: z.array(
    z.object({
      name: z.string().regex(/^[a-z0-9][a-z0-9._-]*$/),
      kind: z.enum(['structure', 'rows', 'keys', 'objects']),
      /** Whose rows; null for a file of another kind. */
      table: text.nullable(),
      sha256: hex.length(64),
      sizeBytes: count,
    }),
  ),
  tables: z.array(
    z.object({
      name: text,
      rows: count,
      /** Order-independent hash of all values (`database/value-hash.ts`). */
      hash: text,
      /** Structural fingerprint (`schema/fingerprint.ts`). */
      structure: text,
      /** The next AUTO_INCREMENT value, as text because it may exceed 2^53; null for none. */
      autoIncrement: text.nullable(),
      engine: text,
      /** `own` for a table of which mariadb-dump would lose values (`backup/writer.ts`). */
      writer: z.enum(['mariadb-dump', 'own']),
    }),
  ),
  /** The server that loads the rows needs a max_allowed_packet of this and a little more. */
  longestStatementBytes: count,
  /** Views that refer to something that does not exist: kept as text, in no proof. */
  invalidViews: z.array(text),
  /** State of each sequence: all columns of its row. */
  sequences: z.array(z.object({ name: text, state: z.record(text, text) })),
  /** Fingerprints of everything that is not a table: views, routines, triggers, events, sequences. */
  objects: z.array(
    z.object({ key: z.custom<ObjectKey>((v) => typeof v === 'string'), fingerprint: text }),
  ),
  /** One hash over all fingerprints. */
  structure: text,
  /** Evidence that the set was restored elsewhere and compared; null only while it is being made. */
  proof: z
    .object({
      at: z.iso.datetime(),
      scratchVersion: text,
      tables: count,
      rows: count,
      durationMs: count,
    })
    .nullable(),
  runId: text.nullable(),
  /** Why it was taken, e.g. `before 0.5.0`. */
  reason: text,
});

export type Manifest = Readonly<z.infer<typeof manifestSchema>>;
export type ManifestFile = Manifest['files'][number];
export type ManifestTable = Manifest['tables'][number];
export type Proof = NonNullable<Manifest['proof']>;

/** One finished backup: its folder and what its manifest says. */
export type BackupSet = {
  readonly name: string;
  /** Absolute path of the folder. */
  readonly dir: string;
  readonly manifest: Manifest;
};

/** The manifest as the text of its file, sealed. Pure. */
export function encodeManifest(manifest: Manifest): string {
  const seal = hashOf(withSeal(manifest, ''));
  return withSeal(manifest, seal);
}

/**
 * Reads the manifest of the set in `dir`. Looks at no other file.
 *
 * @throws DeployError `BACKUP_SET_INVALID` when there is none, or it is damaged, foreign or newer.
 */
export async function readManifest(dir: string): Promise<Manifest> {
  const where = join(dir, MANIFEST_FILE);
  let content: string;
  try {
    content = await readFile(where, 'utf8');
  } catch (cause) {
    throw new DeployError('BACKUP_SET_INVALID', 'the folder has no readable manifest.json', {
      where: dir,
      cause,
      next: ['name the folder of a finished backup set; deploy backup list shows them'],
    });
  }
  return decodeManifest(content, where);
}

/** The manifest of a file's text; `where` names the file in errors. Pure, throws as `readManifest`. */
export function decodeManifest(content: string, where: string): Manifest {
  const invalid = (message: string, next?: readonly string[]): DeployError =>
    new DeployError('BACKUP_SET_INVALID', message, {
      where,
      ...(next === undefined ? {} : { next }),
    });
  let json: unknown;
  try {
    json = JSON.parse(content);
  } catch {
    throw invalid('the manifest is damaged: it is not complete JSON');
  }
  const format = (json as { format?: unknown } | null)?.format;
  if (typeof format !== 'number') {
    throw invalid('the manifest is not one of this program: it has no format number');
  }
  if (format > MANIFEST_FORMAT) {
    throw invalid(
      `the set has format ${format}, and this program knows formats up to ${MANIFEST_FORMAT}`,
      ['use the release that took the set, or a newer one'],
    );
  }
  const seal = (json as { seal?: unknown }).seal;
  if (typeof seal !== 'string' || hashOf(content.replace(sealLine(seal), sealLine(''))) !== seal) {
    throw invalid('the manifest is damaged: its seal does not match its text');
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => issue.path.join('.'));
    throw invalid(`the manifest is not well formed in ${[...new Set(fields)].join(', ')}`);
  }
  return parsed.data;
}

function withSeal(manifest: Manifest, seal: string): string {
  return `${JSON.stringify({ ...manifest, seal }, null, 1)}\n`;
}

function sealLine(seal: string): string {
  return `\n "seal": "${seal}"`;
}

function hashOf(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}
