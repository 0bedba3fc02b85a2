/** `deploy resolve --accept-checksum N`: an applied migration's file was changed on purpose. */
import { inTransaction } from '../database/transaction.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { recordChecksum } from '../history/record.ts';
import { recordedRelease } from '../history/release.ts';
import type { Migration } from '../migrations/migration.ts';
import { compareSchemas } from '../schema/compare.ts';
import { readSchema } from '../schema/read.ts';
import type { RunContext } from './context.ts';
import { expectedModel } from './expected.ts';
import { type Facts, readFacts } from './facts.ts';
import { withLock } from './locked.ts';
import { impatient, openFacts } from './resolve.ts';
import { withoutVersionTables } from './schema-diff.ts';

/** What is known about the change of a file. */
export type ChecksumLook = {
  readonly migration: Migration;
  readonly recorded: string | null;
  readonly kind: 'none' | 'not recorded' | 'line endings' | 'contents';
  /**
   * What the database has otherwise than the files, as they are now, make of its version: with
   * other contents this shows a change that is not in the database. Empty: nothing.
   */
  readonly differences: readonly string[];
};

/**
 * Shows the change, lets `confirm` decide, and writes the checksum of the file as a new row of
 * `schema_version`. Takes the lock for the row; changes nothing else.
 *
 * @throws DeployError `RUN_OPEN`, `CHOICE_REFUSED`, `LOCK_HELD`, `NOT_CONFIRMED`
 */
export async function acceptChecksum(
  context: RunContext,
  number: number,
  confirm: (look: ChecksumLook) => Promise<void>,
): Promise<void> {
  const { report, config } = context;
  const look = await lookAtChecksum(context, number);
  const { name } = config.database;
  if (look.kind === 'none') {
    report.database.statement = `${name}: migration ${number} has the checksum of its file, nothing to accept`;
    return;
  }
  report.mode = 'resolve';
  await confirm(look);
  await withLock(impatient(context), async (hold) => {
    const facts = await readFacts(hold.db, config, context.folder);
    const now = classify(facts, number);
    if (now.recorded !== look.recorded) {
      throw new DeployError('NOT_CONFIRMED', 'the checksum has changed since it was shown', {
        next: ['run the same command again'],
      });
    }
    await inTransaction(hold.db, async () => {
      await hold.assertHeld();
      await recordChecksum(
        hold.db,
        rowOf(context, facts, now.migration),
        currentOf(context, facts),
      );
    });
    report.database.after = facts.resolution.actualVersion;
    report.database.statement = `${name} is at ${facts.resolution.actualVersion ?? 'no version'}: the checksum of migration ${number} is that of its file now`;
  });
}

async function lookAtChecksum(context: RunContext, number: number): Promise<ChecksumLook> {
  const { db, facts } = await openFacts(context);
  try {
    const look = classify(facts, number);
    const version = facts.resolution.actualVersion;
    if (look.kind !== 'contents' || version === null) return look;
    const expected = await expectedModel(context, facts, db, version);
    const live = await readSchema(db, context.config.database.name);
    const differences = withoutVersionTables(compareSchemas(expected, live));
    return { ...look, differences: differences.map(({ message }) => message) };
  } finally {
    await db.close();
  }
}

function classify({ unfinished, resolution, history }: Facts, number: number): ChecksumLook {
  if (unfinished !== null)
    throw new DeployError('RUN_OPEN', `run ${unfinished.runId} is not ended (${unfinished.state})`);
  const migration = resolution.applied.find((one) => one.number === number);
  const row = history.applied.find((one) => one.number === number);
  if (migration === undefined || row === undefined) {
    const why = row === undefined ? 'is not applied' : 'has no file here';
    throw new DeployError('CHOICE_REFUSED', `migration ${number} ${why}`, {
      where: 'migration_history',
      next: ['deploy status shows what is applied'],
    });
  }
  if (row.version !== migration.version) {
    const message = `migration ${number} was applied as one of ${row.version || 'no version'}, and its file is in ${migration.version}`;
    throw new DeployError('CHOICE_REFUSED', message, {
      where: migration.up.path,
      next: ['move the file back: its version is part of what was applied'],
    });
  }
  const changed = resolution.changed.find((one) => one.migration.number === number);
  const kind =
    row.checksum === null
      ? 'not recorded'
      : changed === undefined
        ? 'none'
        : changed.onlyLineEndings
          ? 'line endings'
          : 'contents';
  return { migration, recorded: row.checksum, kind, differences: [] };
}

function rowOf(
  { config }: RunContext,
  { history }: Facts,
  { number, version, description, checksum }: Migration,
) {
  const backendVersion = recordedRelease(history, version) ?? config.backendVersion;
  return {
    number,
    version,
    checksum,
    backendVersion,
    description: `checksum accepted: ${description}`,
  };
}

/** The row that says where the database is: backends read the last one. */
function currentOf({ config }: RunContext, { resolution, history }: Facts) {
  const version = resolution.actualVersion;
  const last = history.applied.findLast((row) => row.version === version);
  if (version === null || last === undefined) return null;
  const { number, checksum, description } = last;
  const backendVersion = recordedRelease(history, version) ?? config.backendVersion;
  return { number, version, checksum, description, backendVersion };
}
