/** Writes what the staging tables hold: in sets, within the caller's transaction, keeping every id. */
import sql, { empty, join, type Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { quoteName } from '../database/identifier.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { failPoint } from '../errors/fail-point.ts';
import type { BoundEntity } from './bind.ts';
import type { EntityReport } from './report.ts';
import { hasIds, joinNewIds, matchInserted, newIds, refreshReferences } from './resolve.ts';
import {
  at,
  goneRows,
  idsOf,
  joinRefs,
  rowsWithRefs,
  stageOf,
  tableOf,
  writtenColumns,
} from './sql.ts';

/**
 * Writes all entities: first what is new or changed, parents before children, then what is gone,
 * children before parents. Never REPLACE, and never a delete of what comes back: that would
 * cascade into the rows of others.
 *
 * @throws DeployError `MASTERDATA_FAILED` when the server refuses a row, or when other rows than planned were met.
 */
export async function writeEntities(
  db: Db,
  entities: readonly BoundEntity[],
  reports: readonly EntityReport[],
): Promise<void> {
  for (const [index, entity] of entities.entries()) {
    const { inserted, updated } = reports[index]!;
    await failPoint('masterdata.entity.before');
    await named(entity, 'written', async () => {
      if (updated > 0) await updateRows(db, entity, updated);
      if (inserted > 0) await insertRows(db, entity, inserted);
      if (inserted > 0 && needsIds(entity, entities)) await findIds(db, entity);
    });
  }
  for (const [index, entity] of [...entities.entries()].reverse()) {
    const { deleted } = reports[index]!;
    if (deleted > 0) await named(entity, 'deleted', () => deleteRows(db, entity, deleted));
  }
}

async function updateRows(db: Db, entity: BoundEntity, planned: number): Promise<void> {
  const changes = writtenColumns(entity).map(
    ({ column, value, reference }) => sql`${at('t', column)} = ${withNewId(value, reference)}`,
  );
  const { affectedRows } = await db.run(sql`UPDATE ${idsOf(entity)} AS m
    STRAIGHT_JOIN ${tableOf(entity)} AS t ON ${at('t', entity.id.name)} = m.id
    STRAIGHT_JOIN ${stageOf(entity)} AS s ON s.rn = m.rn ${joinRefs(entity)} ${joinNewIds(entity)}
    SET ${join(changes)} WHERE m.changed`);
  expectRows(entity, 'updated', affectedRows, planned);
}

async function insertRows(db: Db, entity: BoundEntity, planned: number): Promise<void> {
  const { from, refs } = rowsWithRefs(entity);
  const columns = writtenColumns(entity, refs);
  // Where the table has none of them, all are new.
  const without = (await hasIds(db, entity))
    ? sql`LEFT JOIN ${idsOf(entity)} AS m ON m.rn = s.rn WHERE m.rn IS NULL`
    : empty;
  const values = columns.map(({ staged, reference }) => withNewId(staged, reference));
  const { affectedRows } = await db.run(sql`INSERT INTO ${tableOf(entity)}
    (${join(columns.map(({ column }) => quoteName(column)))})
    SELECT ${join(values)} FROM ${from} ${joinNewIds(entity, refs)} ${without} ORDER BY s.rn`);
  expectRows(entity, 'inserted', affectedRows, planned);
}

/** A row that was new when it was referred to has its id by now. */
function withNewId(value: Sql, reference: number | null): Sql {
  return reference === null ? value : sql`COALESCE(${value}, ${at(newIds(reference), 'id')})`;
}

/** Rows of others refer to its new rows. */
function needsIds(entity: BoundEntity, entities: readonly BoundEntity[]): boolean {
  return entities.some(({ references }) => references.some(({ parent }) => parent === entity));
}

async function findIds(db: Db, entity: BoundEntity): Promise<void> {
  await refreshReferences(db, entity);
  await matchInserted(db, entity);
}

// DATA LOSS: rows that the file does not have, of entities that say so (`"missing": "delete"`).
async function deleteRows(db: Db, entity: BoundEntity, planned: number): Promise<void> {
  const { affectedRows } = await db.run(sql`DELETE t ${goneRows(entity)} WHERE m.rn IS NULL`);
  expectRows(entity, 'deleted', affectedRows, planned);
}

function expectRows(entity: BoundEntity, what: string, rows: number, planned: number): void {
  if (rows === planned) return;
  throw new DeployError(
    'MASTERDATA_FAILED',
    `${rows} rows were ${what}, and ${planned} were planned`,
    {
      where: `table ${entity.table.name}`,
    },
  );
}

async function named(entity: BoundEntity, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    if (cause instanceof DeployError) throw cause;
    throw new DeployError('MASTERDATA_FAILED', `the ${entity.entity.name} could not be ${what}`, {
      where: `table ${entity.table.name}`,
      cause,
    });
  }
}
