import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { AppliedMigration, FailedMigration } from '../../src/history/read.ts';
import type { Migration } from '../../src/migrations/migration.ts';

/** A migration as it would be read from files, for tests that need no files. */
export function makeMigration(given: Partial<Migration> & { readonly number: number }): Migration {
  const { number, version = '0.1.0', name = `change_${number}` } = given;
  const path = `migrations/${version}/${String(number).padStart(4, '0')}_${name}`;
  return {
    version,
    name,
    description: name.replaceAll('_', ' '),
    critical: true,
    up: { path: `${path}.up.sql`, statements: [], rerunnable: false },
    down: null,
    data: null,
    checksum: `checksum-${number}`,
    rawChecksum: `raw-${number}`,
    crlfChecksum: `crlf-${number}`,
    ...given,
  };
}

/** The history's row of a migration that was applied. */
export function makeApplied(
  { number, version, description, checksum }: Migration,
  given: Partial<AppliedMigration> = {},
): AppliedMigration {
  return {
    ...{ number, version, description, checksum },
    appliedAt: '2026-01-16T10:30:00.000Z',
    appliedBy: 'deploy',
    executionTimeMs: 12,
    rollbackAvailable: true,
    ...given,
  };
}

/** The history's row of a migration that failed. */
export function makeFailed({ number, version, description }: Migration): FailedMigration {
  return { number, version, description, error: 'Duplicate column name (1060 ER_DUP_FIELDNAME)' };
}

/**
 * Writes a migrations folder for one test: contents by path below the folder. It is called
 * `migrations`, in a new temporary folder that goes with the test.
 */
export function writeMigrations(
  t: { after(fn: () => void): void },
  files: Readonly<Record<string, string | Uint8Array>>,
): string {
  const parent = mkdtempSync(join(tmpdir(), 'deploy-migrations-'));
  t.after(() => rmSync(parent, { recursive: true, force: true }));
  const dir = join(parent, 'migrations');
  mkdirSync(dir);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), content);
  }
  return dir;
}
