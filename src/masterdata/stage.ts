/** Fills the staging tables with the rows of a file that the table does not have just so. */
import sql, { join } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { isDeployError } from '../errors/deploy-error.ts';
import type { BoundEntity } from './bind.ts';
import { makeRowDigest, noteRest, type TableDigests } from './digests.ts';
import { type Item, insertParts, makeParts } from './insert-stage.ts';
import { type KeyPlaces, makeKeyPlaces, makeLinker } from './links.ts';
import type { Problems } from './problems.ts';
import type { EntityRows } from './read.ts';
import type { FileRow } from './read-file.ts';
import { keyText, makeRowStager } from './row.ts';
import type { SeenValues } from './seen.ts';
import { at, stageOf, systemName } from './sql.ts';

// The server takes longer for a row of a larger statement.
const MAX_BATCH_ROWS = 500;

/** What was staged of a file. */
export type Staged = {
  readonly source: EntityRows;
  /** Rows that are in the table just so: they are not staged. */
  readonly exact: number;
  readonly staged: number;
  /** Some row lacks a field, and keeps what the table has. */
  readonly hasAbsent: boolean;
  /** Of each reference: what every staged row means by it is in the columns of its links. */
  readonly linked: readonly boolean[];
};

/** What is kept of all entities while they are staged, one after the other. */
export type Staging = {
  readonly problems: Problems;
  /** Of the entities that were staged before. */
  readonly keys: Map<BoundEntity, KeyPlaces | null>;
  readonly seen: SeenValues;
};

type Counts = {
  exact: number;
  staged: number;
  hasAbsent: boolean;
  plainSystems: boolean;
  readonly linked: boolean[];
};

/**
 * Checks the rows of a file, and puts those into the staging table that the table does not have
 * just so by `digests`. The next rows are read while the server works on the last ones. A file that
 * cannot be used becomes a problem.
 */
export async function fillStage(
  db: Db,
  entity: BoundEntity,
  source: EntityRows,
  digests: TableDigests,
  staging: Staging,
): Promise<Staged> {
  const counts: Counts = {
    ...{ exact: 0, staged: 0, hasAbsent: false, plainSystems: true },
    linked: entity.references.map(() => true),
  };
  const takeRow = makeTaker(entity, staging, digests.take, counts);
  const lane = makeLane();
  let batch: Item[] = [];
  const flush = async () => {
    const parts = makeParts(entity, batch);
    batch = [];
    await lane.run(async () => {
      const staged = await insertParts(db, entity, parts, staging.problems);
      counts.staged += staged;
    });
  };
  try {
    for await (const rows of source.rows()) {
      for (const row of rows) {
        const item = takeRow(row);
        if (item !== null) batch.push(item);
        if (batch.length >= MAX_BATCH_ROWS) await flush();
      }
    }
    await flush();
  } catch (error) {
    if (!isDeployError(error) || error.code !== 'MASTERDATA_INVALID') throw error;
    staging.problems.add(entity.entity.file, null, null, error.message);
  } finally {
    await lane.end();
  }
  if (!counts.plainSystems) await nameSystems(db, entity);
  await noteRest(db, entity, digests);
  return { source, ...counts };
}

/** Makes the function that checks a row; it gives what is to be staged, or null. */
function makeTaker(
  entity: BoundEntity,
  { problems, keys, seen }: Staging,
  take: (digest: string) => string | undefined,
  counts: Counts,
): (row: FileRow) => Item | null {
  const stageRow = makeRowStager(entity);
  const linksOf = makeLinker(entity, (parent) => keys.get(parent));
  const digestOf = makeRowDigest(entity);
  const see = seen.of(entity);
  const own = makeKeyPlaces(entity);
  keys.set(entity, own);
  return ({ index, value }) => {
    const row = stageRow(value);
    for (const message of row.problems) {
      problems.add(entity.entity.file, index, keyText(entity, value), message);
    }
    if (!row.usable) return null;
    see(row.values);
    const links = linksOf(row.values);
    const digest = row.whole ? digestOf(row.values, links) : null;
    const id = digest === null ? undefined : take(digest);
    if (row.plainSystems) own?.note(row.values, id ?? index);
    if (id !== undefined) {
      counts.exact += 1;
      return null;
    }
    links.forEach((link, at) => {
      if (link === undefined || !row.plainSystems) counts.linked[at] = false;
    });
    if (!row.plainSystems) counts.plainSystems = false;
    if (row.absent !== '') counts.hasAbsent = true;
    return { index, row, links };
  };
}

/** Runs one thing after the other, while the caller goes on preparing the next. */
function makeLane() {
  let last: Promise<unknown> = Promise.resolve();
  return {
    /** Waits for the one before, whose error it throws, and begins the next. */
    async run(work: () => Promise<void>): Promise<void> {
      await last;
      last = work();
      // It is thrown by whoever waits; until then nobody listens.
      last.catch(() => undefined);
    },
    async end(): Promise<void> {
      await last;
    },
  };
}

/** Brings every name of a game system to the one that is written, also in fields of references. */
async function nameSystems(db: Db, entity: BoundEntity): Promise<void> {
  const named = entity.fields.filter(({ isSystem }) => isSystem);
  if (named.length === 0 || entity.gameSystems.length === 0) return;
  const changes = named.map(({ stage }) => {
    const column = at('s', stage);
    return sql`${column} = ${systemName(column, entity.gameSystems)}`;
  });
  await db.run(sql`UPDATE ${stageOf(entity)} AS s SET ${join(changes)}`);
}
