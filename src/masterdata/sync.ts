import type { Db } from '../database/connect.ts';
import { type BoundEntity, type BoundField, bindEntities } from './bind.ts';
import { type ChangeSink, makeListing } from './changes.ts';
import {
  checkCopies,
  checkFileKeys,
  checkReferences,
  checkStoredKeys,
  checkSystems,
  hasRepeatedKeys,
} from './check.ts';
import { checkDeleted } from './check-deleted.ts';
import { checkExactKeys } from './check-exact.ts';
import { checkMatches } from './check-matches.ts';
import { checkUnique } from './check-unique.ts';
import { readTables } from './columns.ts';
import { type Locking, readDigests } from './digests.ts';
import { makeProblems, type Problems } from './problems.ts';
import { compareCounts, countRows } from './protect.ts';
import type { MasterdataSet } from './read.ts';
import { type EntityReport, hasChanges, reportEntity, type SyncReport } from './report.ts';
import { resolveStage } from './resolve.ts';
import { makeSeenValues } from './seen.ts';
import { fillStage, type Staged, type Staging } from './stage.ts';
import { createStage, dropStages } from './stage-tables.ts';
import { writeEntities } from './write.ts';

/**
 * Brings the tables of the current database to what the set says, within the caller's open
 * transaction: it neither commits nor rolls back, and nothing in it commits implicitly. Rows are
 * told apart by their natural keys, under the collation of their columns; ids stay. Reads with
 * locks, so that what it plans is what it writes; with nothing to write, it writes nothing.
 * Needs the deploy lock, and CREATE TEMPORARY TABLES. `sink` gets what each changed or deleted row had.
 *
 * @throws DeployError `MASTERDATA_INVALID` with all findings, before the first write: values, references,
 *   duplicate keys. `MASTERDATA_FAILED` when the server refuses a row, or a table would lose rows: the caller
 *   rolls back.
 */
export async function syncMasterdata(
  db: Db,
  set: MasterdataSet,
  sink: ChangeSink | null = null,
): Promise<SyncReport> {
  if (!(await isTransactionOpen(db))) throw new Error('syncMasterdata needs an open transaction');
  const report = await withStages(db, set, 'share', async (entities, staged, staging) => {
    const reports = await planEntities(db, entities, staged, staging, sink);
    if (!hasChanges({ entities: reports })) return reports;
    const tables = entities.map(({ table }) => table.name);
    const before = await countRows(db, set.entities.protected, tables);
    await writeEntities(db, entities, reports);
    compareCounts(before, await countRows(db, set.entities.protected, tables), reports);
    return reports;
  });
  if (!(await isTransactionOpen(db))) throw new Error('the transaction ended during the sync');
  return { digest: set.digest, entities: report };
}

/**
 * What `syncMasterdata` would do now, without doing it. Takes no lock that others would notice,
 * unless the caller has a transaction open.
 *
 * @throws DeployError `MASTERDATA_INVALID` with all findings.
 */
export async function diffMasterdata(db: Db, set: MasterdataSet): Promise<SyncReport> {
  const entities = await withoutChange(db, () =>
    withStages(db, set, 'none', (...all) => planEntities(db, ...all, null)),
  );
  return { digest: set.digest, entities };
}

/**
 * Checks what can be known without the rows of the database: declaration against tables, values
 * against columns, keys within the file. Also works on an empty copy of the structure, before a
 * database has reached the version that the set is for. Writes nothing.
 *
 * @throws DeployError `MASTERDATA_INVALID` with all findings.
 */
export async function checkMasterdata(db: Db, set: MasterdataSet): Promise<void> {
  await withoutChange(db, () =>
    withStages(db, set, 'none', async (entities, _staged, { problems }) => {
      for (const entity of entities) {
        await checkFileKeys(db, entity, problems);
        await checkSystems(db, entity, problems);
      }
      problems.throwIfAny();
    }),
  );
}

/**
 * Checks the set against the rows of the database: finds all that `syncMasterdata` would refuse, and
 * writes nothing. Takes no lock that others would notice.
 *
 * @throws DeployError `MASTERDATA_INVALID` with all findings.
 */
export async function checkAgainstRows(db: Db, set: MasterdataSet): Promise<void> {
  await withoutChange(db, () => withStages(db, set, 'none', (...all) => checkEntities(db, ...all)));
}

/** Stages the whole set, and drops the staging tables again whatever happens. */
async function withStages<T>(
  db: Db,
  set: MasterdataSet,
  locking: Locking,
  work: (
    entities: readonly BoundEntity[],
    staged: readonly Staged[],
    staging: Staging,
  ) => Promise<T>,
): Promise<T> {
  const problems = makeProblems(set.dir);
  const names = set.entities.entities.map(({ table }) => table);
  const entities = bindEntities(set.entities, await readTables(db, names), problems);
  // Without its tables the rest would only be a list of things that follow from it.
  problems.throwIfAny();
  const staging = { problems, keys: new Map(), seen: makeSeenValues(entities) };
  try {
    for (const entity of entities) await createStage(db, entity, lookupsOf(entity, entities));
    const staged: Staged[] = [];
    const digestsOf = (entity: BoundEntity) => readDigests(db, entity, locking);
    for await (const [entity, digests] of readAhead(entities, digestsOf)) {
      const source = set.data.find((one) => one.entity.name === entity.entity.name)!;
      staged.push(await fillStage(db, entity, source, digests, staging));
    }
    return await work(entities, staged, staging);
  } finally {
    if (db.lost() === null) await dropStages(db, entities);
  }
}

/** Gives what is read for each item, and reads that for the next one while the caller works. */
async function* readAhead<T, R>(
  items: readonly T[],
  read: (item: T) => Promise<R>,
): AsyncGenerator<readonly [T, R]> {
  const begin = (at: number) => {
    const begun = at < items.length ? read(items[at]!) : null;
    // It is thrown by whoever waits; until then nobody listens.
    begun?.catch(() => undefined);
    return begun;
  };
  let next = begin(0);
  for (const [at, item] of items.entries()) {
    const result = (await next)!;
    next = begin(at + 1);
    yield [item, result];
  }
}

/** Fields by which rows of others refer to an entity's, where that is not by its key. */
function lookupsOf(entity: BoundEntity, entities: readonly BoundEntity[]): BoundField[][] {
  const lookups = entities
    .flatMap(({ references }) => references.filter(({ parent }) => parent === entity))
    .map(({ pairs }) => pairs.map(({ other }) => other))
    .filter(([first]) => first !== entity.keyFields[0]);
  const names = lookups.map((fields) => fields.map(({ stage }) => stage).join());
  return lookups.filter((_, index) => names.indexOf(names[index]!) === index);
}

/** Checks everything, then says what is to be done. */
async function planEntities(
  db: Db,
  entities: readonly BoundEntity[],
  staged: readonly Staged[],
  staging: Staging,
  sink: ChangeSink | null,
): Promise<EntityReport[]> {
  await checkEntities(db, entities, staged, staging);
  const listing = makeListing(sink);
  const reports: EntityReport[] = [];
  for (const [index, entity] of entities.entries()) {
    reports.push(await reportEntity(db, entity, staged[index]!, listing));
  }
  return reports;
}

/** Resolves and checks everything: the entities must be in order. */
async function checkEntities(
  db: Db,
  entities: readonly BoundEntity[],
  staged: readonly Staged[],
  staging: Staging,
): Promise<void> {
  const { problems } = staging;
  for (const [index, entity] of entities.entries()) {
    const counts = staged[index]!;
    const fresh = counts.staged > 0 ? await planStaged(db, entity, counts, problems) : 0;
    if (counts.exact > 0) await checkExactKeys(db, entity, counts.source, fresh, problems);
  }
  for (const [index, entity] of entities.entries()) {
    await checkMatches(db, entity, staged[index]!, entities, staging);
  }
  await checkDeleted(db, entities, problems);
  problems.throwIfAny();
}

/** Gives how many rows are new. */
async function planStaged(
  db: Db,
  entity: BoundEntity,
  counts: Staged,
  problems: Problems,
): Promise<number> {
  const resolved = await resolveStage(db, entity, counts);
  await checkSystems(db, entity, problems);
  if (await hasRepeatedKeys(db, entity)) await checkFileKeys(db, entity, problems);
  if (resolved.repeated) await checkStoredKeys(db, entity, problems);
  await checkReferences(db, entity, { ...resolved, linked: counts.linked }, problems);
  await checkCopies(db, entity, problems);
  await checkUnique(db, entity, problems);
  return resolved.fresh;
}

async function withoutChange<T>(db: Db, work: () => Promise<T>): Promise<T> {
  if (await isTransactionOpen(db)) return work();
  // Otherwise the joins of the staging tables would lock the rows that they read.
  await db.run('SET TRANSACTION ISOLATION LEVEL READ COMMITTED');
  await db.run('START TRANSACTION');
  try {
    return await work();
  } finally {
    await db.run('ROLLBACK').catch(() => undefined);
  }
}

async function isTransactionOpen(db: Db): Promise<boolean> {
  const row = await db.one<{ open: string | number }>('SELECT @@in_transaction AS open');
  return Number(row?.open) === 1;
}
