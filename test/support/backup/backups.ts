import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Contents, readContents } from '../../../src/backup/contents.ts';
import type { BackupSet } from '../../../src/backup/manifest.ts';
import { type RestoreOptions, type RestoreState, restoreSet } from '../../../src/backup/restore.ts';
import { type TakeOptions, takeBackup } from '../../../src/backup/take.ts';
import type { ServerAddress } from '../../../src/config/config.ts';
import type { Log } from '../../../src/config/log.ts';
import { connect, withConnection } from '../../../src/database/connect.ts';
import { stagingSchemaName } from '../../../src/database/identifier.ts';
import { type Hold, holdLock } from '../../../src/database/lock.ts';
import { readServer } from '../../../src/database/server.ts';
import { type Cleanup, testScratchDir } from '../server.ts';

/** A log that keeps its lines. */
export function makeLog(): Log & { readonly lines: string[] } {
  const lines: string[] = [];
  const write = (...args: unknown[]) => {
    lines.push(String(args.at(-1)));
  };
  return { lines, trace: write, debug: write, info: write, warn: write, error: write };
}

/** A new folder for sets, removed when the test ends. */
export function makeBackupDir(t: Cleanup): string {
  const dir = mkdtempSync(join(tmpdir(), 'deploy-backups-'));
  t.after(async () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Takes and proves a set, with what a test does not care about filled in. */
export async function take(
  address: ServerAddress,
  database: string,
  dir: string,
  options: Partial<TakeOptions> = {},
): Promise<BackupSet> {
  const facts = await withConnection(address, { database }, (db) => readServer(db, database));
  return takeBackup({
    ...{ address, database, dir, scratchDir: testScratchDir, scratchVariables: facts.variables },
    ...{ schemaVersion: '1.2.3', migrationNumber: 7, runId: 'run', reason: 'test', log: makeLog() },
    ...options,
  });
}

/** Runs `work` under the deploy lock. */
export async function withHold<T>(
  address: ServerAddress,
  database: string,
  work: (hold: Hold) => Promise<T>,
): Promise<T> {
  const { hold } = await holdLock(() => connect(address, { database }), {
    ...{ database, waitMs: 30_000, runId: 'run', log: makeLog() },
  });
  try {
    return await work(hold);
  } finally {
    await hold.release();
  }
}

/** Restores a set under the lock and gives the states that were saved. */
export async function restore(
  address: ServerAddress,
  database: string,
  set: BackupSet,
  options: Partial<RestoreOptions> = {},
): Promise<RestoreState[]> {
  const states: RestoreState[] = [];
  await withHold(address, database, (hold) =>
    restoreSet({
      ...{ hold, address, database, set, log: makeLog(), saved: null },
      save: async (state) => {
        // As a journal would keep it.
        states.push(JSON.parse(JSON.stringify(state)) as RestoreState);
      },
      ...options,
    }),
  );
  return states;
}

/** Structure, rows and counters of a database. */
export function contentsOf(address: ServerAddress, database: string): Promise<Contents> {
  return withConnection(address, { database }, (db) => readContents([db], database));
}

/** Schemas that a restore should have removed. */
export async function leftoverSchemas(address: ServerAddress, database: string): Promise<string[]> {
  const names = [stagingSchemaName(database, 'stg'), stagingSchemaName(database, 'old')];
  const rows = await withConnection(address, {}, (db) =>
    db.query<{ Database: string }>('SHOW DATABASES'),
  );
  return rows.map((row) => row.Database).filter((name) => names.includes(name));
}
