import type { Config } from '../config/config.ts';
import type { Log } from '../config/log.ts';
import { connect, type Db } from '../database/connect.ts';
import type { Hold } from '../database/lock.ts';
import type { Patience } from '../database/until-free.ts';
import type { MigrationFolder } from '../migrations/files.ts';
import type { MasterdataSource } from './masterdata-source.ts';
import type { Report } from './report.ts';
import type { SharedScratch } from './shared-scratch.ts';

/** What every step of a run is given: settings, files, the log, the report, and the wish to stop. */
export type RunContext = {
  readonly config: Config;
  readonly folder: MigrationFolder;
  readonly log: Log;
  readonly report: Report;
  readonly toolVersion: string;
  readonly scratch: SharedScratch;
  readonly masterdata: MasterdataSource;
  /** From now on the log is kept in a file beside the report: called when a run really begins. */
  readonly keepLog: () => void;
  /** Connections that only read; numbers of closed ones stay: the server gives none twice. */
  readonly readers: Set<number>;
  /** Aborts when the process was told to stop (SIGTERM, SIGINT). */
  readonly stop: AbortSignal;
};

/** Opens a connection to the application's database, in the session that reading needs. */
export async function openConnection({ config, readers }: RunContext): Promise<Db> {
  const db = await connect(config.database, { database: config.database.name });
  readers.add(db.id);
  return db;
}

/** Throws `INTERRUPTED` when the process was told to stop: called between steps. */
export function throwIfStopped({ stop }: RunContext): void {
  if (stop.aborted) throw stop.reason;
}

/** For how long a statement is tried again while other sessions use its tables. */
export function tableWaitMs({ lockWaitMs }: Pick<Config, 'lockWaitMs'>): number {
  // A table that is not free after a minute is not in ordinary use.
  return Math.min(lockWaitMs, 60_000);
}

/** How steps on the working connection bear with tables that are in use. */
export function patienceOf({ config, log, stop }: RunContext, hold: Hold): Patience {
  const signal = AbortSignal.any([stop, hold.signal]);
  return { waitMs: tableWaitMs(config), log, db: hold.db, database: hold.database, signal };
}

/** A number of bytes for people, e.g. `12.3 MiB`. */
export function formatBytes(sizeBytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power =
    sizeBytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(sizeBytes) / 10));
  return `${(sizeBytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
