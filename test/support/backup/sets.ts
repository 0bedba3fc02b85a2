/** Backup sets without a database: for what only looks at folders and manifests. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ListedSet } from '../../../src/backup/list.ts';
import { encodeManifest, type Manifest } from '../../../src/backup/manifest.ts';
import { makeSetName } from '../../../src/backup/names.ts';

const DAY_MS = 86_400_000;

export function daysBefore(now: Date, days: number): Date {
  return new Date(now.getTime() - days * DAY_MS);
}

/** A believable manifest of a proven set with one small file. */
export function makeManifest(change: Partial<Manifest> = {}): Manifest {
  const createdAt = change.createdAt ?? '2026-01-16T10:30:05.000Z';
  return {
    ...{ format: 1, name: makeSetName(new Date(createdAt), 1), database: 'app', createdAt },
    ...{ sequence: 1, schemaVersion: '0.1.0', migrationNumber: 1 },
    server: { version: '10.11.19-MariaDB', variables: {} },
    tool: { version: '0.1.0', dumpVersion: 'x' },
    ...{ charset: 'utf8mb4', collation: 'utf8mb4_bin', comment: '', definers: [] },
    files: [
      {
        ...{ name: 'structure.sql.zst', kind: 'structure', table: null, sizeBytes: 1 },
        sha256: createHash('sha256').update('x').digest('hex'),
      },
    ],
    ...{ tables: [], longestStatementBytes: 0, invalidViews: [], sequences: [], objects: [] },
    structure: 'd',
    proof: { at: createdAt, scratchVersion: '10.11.19', tables: 0, rows: 0, durationMs: 1 },
    ...{ runId: null, reason: 'update' },
    ...change,
  };
}

/** A set as a list shows it. */
export function makeListed(change: Partial<Manifest> = {}): ListedSet {
  const manifest = makeManifest(change);
  return { name: manifest.name, dir: `/b/${manifest.name}`, manifest, problem: null, sizeBytes: 1 };
}

/** Writes the folder of a set that can be verified, though it restores to nothing. */
export function writeSet(dir: string, change: Partial<Manifest> = {}): string {
  const manifest = makeManifest(change);
  const path = join(dir, manifest.name);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'structure.sql.zst'), 'x');
  writeFileSync(join(path, 'manifest.json'), encodeManifest(manifest));
  return manifest.name;
}
