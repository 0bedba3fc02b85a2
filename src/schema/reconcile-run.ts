/** Runs what the safety net planned, and reads the texts that a plan may need. */
import type { Db } from '../database/connect.ts';
import { isConnectionLost } from '../database/server-errors.ts';
import { setFreshSession } from '../database/session.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { readCreateTexts } from './copy.ts';
import { runAs, withCopySession } from './copy-session.ts';
import type { ObjectKey, SchemaModel } from './model.ts';
import { keyOf } from './read.ts';
import type { Addition } from './reconcile-draft.ts';

/**
 * Runs one addition of a plan in `schema`, which must be the connection's database. A table's part
 * runs in a fresh session, so that keys and checks look at existing rows; code runs in the session
 * that it was written for. Commits implicitly; needs the lock. Must not be called inside a
 * transaction.
 *
 * @throws DeployError `RECONCILE_FAILED`, where: the object. With `rowsDecide`, rows may be why.
 */
export async function runAddition(db: Db, schema: SchemaPlace, addition: Addition): Promise<void> {
  const { code, sql } = addition;
  try {
    await setFreshSession(db, { collation: schema.collation });
    if (code === null) {
      await db.run(sql);
      return;
    }
    await withCopySession(db, schema.name, () =>
      runAs(db, code, sql, schema.name, schema.collation),
    );
  } catch (cause) {
    if (isConnectionLost(cause)) throw cause;
    throw new DeployError('RECONCILE_FAILED', `the ${addition.what} could not be added`, {
      where: addition.key.replace(':', ' '),
      cause,
      facts: { key: addition.key, rowsDecide: addition.rowsDecide },
    });
  }
}

/** The application's database. */
export type SchemaPlace = { readonly name: string; readonly collation: string };

/**
 * Reads the SHOW CREATE texts of tables, views and routines, without the schema's own name in them:
 * for `definitionOf` of planReconcile, where the expected schema was built. One query for each
 * object. Only reads.
 */
export async function readDefinitions(
  db: Db,
  schema: string,
  model: SchemaModel,
): Promise<ReadonlyMap<ObjectKey, string>> {
  const texts = await readCreateTexts(db, schema, model);
  return new Map([...texts].map(([object, text]) => [keyOf(object), text]));
}
