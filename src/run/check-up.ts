/** Steps 9 and 11 of a run: the safety net, and the validation of what came out (DESIGN §5). */
import type { Hold } from '../database/lock.ts';
import { untilFree } from '../database/until-free.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { readHistory } from '../history/read.ts';
import type { RunRow } from '../history/runs.ts';
import type { SchemaVersion } from '../migrations/migration.ts';
import { readSchema } from '../schema/read.ts';
import { planReconcile } from '../schema/reconcile.ts';
import { runAddition } from '../schema/reconcile-run.ts';
import type { Finding } from '../validation/finding.ts';
import { newErrors, validate } from '../validation/validate.ts';
import { openConnection, patienceOf, type RunContext, throwIfStopped } from './context.ts';
import { expectedModel } from './expected.ts';
import type { Facts } from './facts.ts';

/**
 * Adds what the version must have and the database lacks: only ever adds, and says so. With
 * SAFETY_NET=report it only says. Needs the lock.
 *
 * @throws DeployError `RECONCILE_FAILED`, `TABLES_IN_USE`
 */
export async function reconcile(
  context: RunContext,
  hold: Hold,
  facts: Facts,
  version: SchemaVersion,
): Promise<void> {
  const { config, report, log } = context;
  const reader = await openConnection(context);
  try {
    const expected = await expectedModel(context, facts, reader, version);
    const actual = await readSchema(reader, config.database.name);
    const { additions, others } = planReconcile(expected, actual);
    for (const addition of additions) {
      throwIfStopped(context);
      const apply = config.safetyNet === 'additive';
      if (apply)
        await untilFree(patienceOf(context, hold), () =>
          runAddition(
            hold.db,
            { name: config.database.name, collation: facts.server.database.collation },
            addition,
          ),
        );
      const text = apply
        ? `the safety net added ${addition.what}`
        : `missing, not added (SAFETY_NET=report): ${addition.what}`;
      report.warnings.push(text);
      log.warn({ sql: addition.sql }, text);
    }
    for (const { message, additive } of others) {
      if (!additive) report.warnings.push(`differs from ${version}: ${message}`);
    }
  } finally {
    await reader.close();
  }
}

/** Runs all checks against what `version` must be; null means no check applies. Reads only. */
export async function findProblems(
  context: RunContext,
  facts: Facts,
  version: SchemaVersion | null,
): Promise<Finding[]> {
  if (version === null) return [];
  const { config, folder } = context;
  const database = config.database.name;
  // Master data belongs to the required version: on the way there its tables may still be empty.
  const source = version === facts.requiredVersion ? await context.masterdata.get() : null;
  const db = await openConnection(context);
  try {
    const expected = await expectedModel(context, facts, db, version);
    return await validate({
      ...{ db, database, expected, folder, requiredVersion: version },
      history: await readHistory(db, database),
      masterdata: (source?.set.data ?? [])
        .filter(({ count }) => count > 0)
        .map(({ entity }) => ({ entity: entity.name, table: entity.table })),
    });
  } finally {
    await db.close();
  }
}

/**
 * Fails the run when it caused errors that were not there before it; with VALIDATE=strict any
 * error fails it. All findings are in the report.
 *
 * @throws DeployError `VALIDATION_FAILED`
 */
export async function validateRun(
  context: RunContext,
  facts: Facts,
  run: RunRow,
  before: readonly Finding[],
): Promise<void> {
  const { config, report } = context;
  const findings = await findProblems(context, facts, run.to);
  report.findings = findings;
  const errors =
    config.validate === 'strict'
      ? findings.filter(({ severity }) => severity === 'error')
      : newErrors(before, findings);
  for (const { severity, message } of findings) {
    if (severity !== 'info') report.warnings.push(`${severity}: ${message}`);
  }
  if (errors.length === 0) return;
  throw new DeployError(
    'VALIDATION_FAILED',
    `the database is not valid after the change to ${run.to}: ${errors.length} errors`,
    {
      facts: {
        problems: errors.map(({ message, keys, advice }) =>
          [message, ...(keys.length > 0 ? [`keys ${keys.join(', ')}`] : []), advice].join('; '),
        ),
      },
    },
  );
}
