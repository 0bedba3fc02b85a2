/** A restore, as a whole: set, rights, lock, staging, what would be different, confirmation, swap. */

import type { BackupSet } from '../backup/manifest.ts';
import { schemaAttributes } from '../backup/read-tables.ts';
import { type Db, withConnection } from '../database/connect.ts';
import { missingRights, needsOfDatabase } from '../database/grants.ts';
import { quoteNameText } from '../database/identifier.ts';
import { isDatabaseAccessDenied } from '../database/server-errors.ts';
import { DeployError, isDeployError } from '../errors/deploy-error.ts';
import { openForChange } from './back.ts';
import type { RunContext } from './context.ts';
import { readFacts } from './facts.ts';
import { findDump, importDump } from './import-dump.ts';
import { withLock } from './locked.ts';
import { recoverUnfinished } from './recover.ts';
import { throwIfRefused } from './refuse.ts';
import { refuseFence } from './refuse-fence.ts';
import { type ConfirmRestore, openSet, restore } from './restore.ts';

/**
 * Carries a restore out. A set is verified in full before anything else; a dump file becomes a set
 * first. An unfinished run is ended before, which has to be confirmed as well.
 *
 * @throws SettledError which says where the database is; DeployError before any change.
 */
export async function runRestore(
  context: RunContext,
  nameOrPath: string,
  confirm: ConfirmRestore,
): Promise<void> {
  const dump = await findDump(context, nameOrPath);
  const given = dump === null ? await openSet(context, nameOrPath) : null;
  const { report, config, folder } = context;
  report.mode = 'restore';
  const db = await openOrCreate(context, given, confirm);
  try {
    const facts = await readFacts(db, config, folder);
    const { unfinished } = facts;
    report.database.before = facts.resolution.actualVersion;
    report.database.after = report.database.before;
    // Without a staging it goes on in place, after a warning.
    const needed = missingRights(facts.server, needsOfDatabase(config.database.name));
    const missing = needed.map(({ right, why, grant }) => ({
      ...{
        code: 'RIGHT_MISSING' as const,
        message: `${facts.server.currentUser} has not ${right}: ${why}`,
        next: [grant],
      },
    }));
    throwIfRefused({ refusals: [...missing, ...refuseFence(facts, config)] });
    if (unfinished !== null) {
      await confirm([
        `Run ${unfinished.runId} of ${config.database.name} did not end (${unfinished.state}): it is ended or put back before the restore.`,
      ]);
    }
    const { set, lines } =
      given === null ? await importDump(context, facts, dump!) : { set: given, lines: [] };
    await withLock(context, async (hold) => {
      await recoverUnfinished(context, hold, await readFacts(hold.db, config, folder));
      await restore(context, hold, set, (more) => confirm([...lines, ...more]));
    });
  } finally {
    await db.close();
  }
}

/** On a server that was set up anew the database is missing: it is made, after it was confirmed. */
async function openOrCreate(
  context: RunContext,
  set: BackupSet | null,
  confirm: ConfirmRestore,
): Promise<Db> {
  try {
    return await openForChange(context);
  } catch (error) {
    if (!isDeployError(error, 'DATABASE_MISSING')) throw error;
  }
  const { config, log } = context;
  const { name } = config.database;
  await confirm([`The server has no database ${name}: it is made, empty, before the restore.`]);
  const attributes = set === null ? '' : schemaAttributes(set.manifest);
  try {
    await withConnection(config.database, {}, (db) =>
      db.run(`CREATE DATABASE IF NOT EXISTS ${quoteNameText(name)} ${attributes}`),
    );
  } catch (error) {
    if (!isDatabaseAccessDenied(error)) throw error;
    throw new DeployError('RIGHT_MISSING', `the account may not create the database ${name}`, {
      cause: error,
      next: [`let an administrator run: CREATE DATABASE ${quoteNameText(name)}`],
    });
  }
  log.warn(`made the database ${name}, which this server did not have`);
  return openForChange(context);
}
