/** Master data in a run: where it comes from, its check before, its sync in one transaction. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Config } from '../config/config.ts';
import type { Db } from '../database/connect.ts';
import type { Hold } from '../database/lock.ts';
import { setFreshSession } from '../database/session.ts';
import { inTransaction } from '../database/transaction.ts';
import { untilFree } from '../database/until-free.ts';
import { DeployError, isDeployError } from '../errors/deploy-error.ts';
import { failPoint } from '../errors/fail-point.ts';
import { type RunRow, updateRun } from '../history/runs.ts';
import { digestFiles } from '../masterdata/files-digest.ts';
import type { Conversion } from '../masterdata/former.ts';
import type { MasterdataSet } from '../masterdata/read.ts';
import type { SyncReport } from '../masterdata/report.ts';
import { readCounters, setCounters } from '../migrations/counters.ts';
import type { MigrationFolder } from '../migrations/files.ts';
import { patienceOf, type RunContext } from './context.ts';
import type { Facts } from './facts.ts';

/** The master data of this image or of a deployment package. */
export type Masterdata = {
  readonly set: MasterdataSet;
  /** How it became format 2.0; null when it was. */
  readonly conversion: Conversion | null;
  /** What a fresh installation does besides, or null. */
  readonly installFile: string | null;
  /** Digest of the files, byte by byte; null when they came in a package. */
  readonly files: string | null;
};

/** Reads the master data when it is first needed, once for a run. */
export type MasterdataSource = {
  /**
   * Null when there is none, or MASTERDATA=off.
   *
   * @throws DeployError `MASTERDATA_INVALID`, `BUNDLE_INVALID`
   */
  get(): Promise<Masterdata | null>;
  /** Digest of the files as they are, without reading what they say; null when they are in a package. */
  filesDigest(): Promise<string | null>;
  /** Removes what a package was unpacked into. */
  close(): Promise<void>;
};

/**
 * Makes the source; reads nothing yet. `input` is a folder of rows to use instead of the image's;
 * like those of a package, they are declared by the image.
 */
export function makeMasterdataSource(
  config: Config,
  folder: MigrationFolder,
  input: string | null,
): MasterdataSource {
  let read: Promise<Masterdata | null> | null = null;
  const cleanUp: (() => Promise<void>)[] = [];
  const filesDigest = async (): Promise<string | null> => {
    const dir = input ?? config.masterdataDir;
    if (dir === null || (config.package !== null && input === null)) return null;
    return digestFiles([config.masterdataDir ?? dir, dir]);
  };
  const open = async (): Promise<Masterdata | null> => {
    if (config.masterdata === 'off') return null;
    let dir = input ?? config.masterdataDir;
    if (config.package !== null && input === null) {
      const { openPackage } = await import('../bundle/open-package.ts');
      const expectedVersion = config.requiredVersion ?? folder.versions.at(-1) ?? '';
      const opened = await openPackage(config.package, {
        expectedVersion,
        tmpDir: config.scratchDir,
      });
      cleanUp.push(opened.remove);
      // A package has the rows; what they mean is declared in the image.
      dir = opened.dir;
    }
    if (dir === null || !existsSync(dir)) return null;
    const { readEntities } = await import('../masterdata/entities.ts');
    const { readMasterdata } = await import('../masterdata/read.ts');
    const { loadFormats } = await import('../masterdata/former.ts');
    const { openMasterdata } = await import('../masterdata/open.ts');
    // Before they are read: what changes meanwhile must not be taken for what was synced.
    const files = await filesDigest();
    const declared = config.masterdataDir ?? dir;
    const entities = await readEntities(declared);
    const formats = await loadFormats(declared);
    const opened = await openMasterdata(dir, { entities, formats, tmpDir: config.scratchDir });
    cleanUp.push(opened.remove);
    const installFile = path.join(declared, 'install.ts');
    return {
      conversion: opened.conversion,
      set: await readMasterdata(opened.dir, entities),
      installFile: existsSync(installFile) ? installFile : null,
      files,
    };
  };
  return {
    get() {
      read ??= open();
      return read;
    },
    filesDigest,
    async close() {
      for (const remove of cleanUp) await remove();
    },
  };
}

/** `the master data was converted from format 1.4 (1.4 → 1.5, 1.5 → 2.0)`, and what that decided. Pure. */
export function conversionText({ from, steps, notes }: Conversion): string {
  const head = `the master data was converted from format ${from} (${steps.join(', ')})`;
  return [head, ...notes.map((note) => `  ${note}`)].join('\n');
}

/**
 * Checks the whole set on a copy of the structure as it will be, before anything is changed.
 *
 * @throws DeployError `MASTERDATA_INVALID` with all findings.
 */
export async function checkOnCopy(copy: Db, { set }: Masterdata): Promise<void> {
  const { checkMasterdata } = await import('../masterdata/sync.ts');
  await checkMasterdata(copy, set);
}

/**
 * Brings the master data into the database, and on a fresh installation what the application
 * does besides: all of it in one transaction, together with the note in `deploy_run` that it was
 * done. Needs the lock. A crash leaves all or nothing, and the next process does it again or not.
 *
 * @throws DeployError `MASTERDATA_INVALID`, `MASTERDATA_FAILED`, `INSTALL_FAILED`, `TABLES_IN_USE`
 */
export async function syncInRun(
  context: RunContext,
  hold: Hold,
  facts: Facts,
  run: RunRow,
): Promise<SyncReport | null> {
  const masterdata = await context.masterdata.get();
  if (masterdata === null) return null;
  if (masterdata.conversion !== null) {
    context.report.masterdata_conversion = masterdata.conversion;
    context.log.info({ ...masterdata.conversion }, conversionText(masterdata.conversion));
  }
  const { syncMasterdata } = await import('../masterdata/sync.ts');
  await setFreshSession(hold.db, { collation: facts.server.database.collation });
  const transaction = async () => {
    const report = await syncMasterdata(hold.db, masterdata.set);
    if (run.mode === 'install' && masterdata.installFile !== null) {
      await install(hold.db, masterdata.installFile, context.config);
    }
    await updateRun(hold, run.runId, { masterdataDigest: masterdata.set.digest });
    await failPoint('masterdata.before-commit');
    return report;
  };
  const tables = masterdata.set.entities.entities.map(({ table }) => table);
  const counters = await readCounters(hold.db, hold.database, tables);
  return untilFree(patienceOf(context, hold), async (triedBefore) => {
    // What was rolled back has moved them, and the rows must get the ids of an undisturbed sync.
    if (triedBefore > 0) await setCounters(hold, counters);
    return inTransaction(hold.db, transaction);
  });
}

async function install(db: Db, file: string, { admin }: Config): Promise<void> {
  try {
    const module = (await import(pathToFileURL(file).href)) as {
      install: (db: Db, account: unknown) => Promise<void>;
    };
    await module.install(db, admin);
  } catch (cause) {
    if (isDeployError(cause)) throw cause;
    throw new DeployError(
      'INSTALL_FAILED',
      'what the application does on a fresh installation failed',
      { cause, where: file },
    );
  }
}
