/** Master data in a run: its sync in one transaction. */
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
import type { SyncReport } from '../masterdata/report.ts';
import { readCounters, setCounters } from '../migrations/counters.ts';
import { type ChangesFile, makeChangesFile } from './changes-file.ts';
import { patienceOf, type RunContext } from './context.ts';
import type { Facts } from './facts.ts';
import { conversionText } from './masterdata-source.ts';

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
  const changes = changesOf(context, run);
  const write = async () => {
    const report = await syncMasterdata(hold.db, masterdata.set, changes.sink);
    if (run.mode === 'install' && masterdata.installFile !== null) {
      await install(hold.db, masterdata.installFile, context.config);
    }
    await updateRun(hold, run.runId, { masterdataDigest: masterdata.set.digest });
    await changes.flush();
    await failPoint('masterdata.before-commit');
    return report;
  };
  // Not after a failed commit: nobody knows whether it came to be.
  const transaction = () =>
    write().catch(async (error) => {
      await changes.discard();
      throw error;
    });
  const tables = masterdata.set.entities.entities.map(({ table }) => table);
  const counters = await readCounters(hold.db, hold.database, tables);
  const report = await untilFree(patienceOf(context, hold), async (triedBefore) => {
    // What was rolled back has moved them, and the rows must get the ids of an undisturbed sync.
    if (triedBefore > 0) await setCounters(hold, counters);
    return inTransaction(hold.db, transaction);
  });
  context.report.masterdata_changes = changes.name();
  context.report.warnings.push(...report.entities.flatMap(({ warnings }) => warnings));
  return report;
}

function changesOf({ config, report, log }: RunContext, { runId }: RunRow): ChangesFile {
  return makeChangesFile(config.reportDir, runId, (error) => {
    const message = `what production had of changed master data could not be written into ${config.reportDir}; the backup has it`;
    log.warn({ err: error }, message);
    report.warnings.push(message);
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
