/**
 * Runs migrations on an empty copy of a database, on a scratch server, before anybody touches the
 * database itself. What fails there is refused in the plan; the structure after each statement is
 * what recovery compares with (DESIGN §5a).
 */
import type { Db } from '../database/connect.ts';
import { DeployError, isDeployError } from '../errors/deploy-error.ts';
import { ensureVersionTables, VERSION_TABLES } from '../history/tables.ts';
import type { SchemaVersion } from '../history/versions.ts';
import { copyStructure, createSchema } from '../schema/copy.ts';
import { fingerprintSchema } from '../schema/fingerprint.ts';
import type { SchemaModel } from '../schema/model.ts';
import { readSchema } from '../schema/read.ts';
import type { Scratch } from '../scratch/server.ts';
import type { Part } from '../statements/parts.ts';
import type { Direction } from '../statements/statement.ts';
import { type StructureChange, statementsOf } from './actions.ts';
import { conditionalParts, type ExistedBefore } from './existing.ts';
import type { MigrationFolder } from './files.ts';
import type { ClassifiedStatement, Migration } from './migration.ts';
import { withScratchSchema } from './scratch-schema.ts';
import { type StructureTracker, trackStructure } from './structure-tracker.ts';
import { touchedBy } from './touched.ts';
import type { StructuralFailure, Trial } from './try-migration.ts';
import { tryTakingBack } from './try-taking-back.ts';

export type { StructuralFailure } from './try-migration.ts';

export type StructuralRun = {
  /** Every statement and data function that ran, in the order in which they did. */
  readonly statements: readonly {
    readonly migration: number;
    /** Statement number in its file; a data function has the number after the last. */
    readonly number: number;
    readonly changes: readonly StructureChange[];
    /** Tables with AUTO_INCREMENT that it may write to through triggers and the like; null for none. */
    readonly writes: readonly string[] | null;
  }[];
  readonly failure: StructuralFailure | null;
  /** Of migrations that are not critical: taken back on the copy, which went on as if they had not run. */
  readonly expectedFailures: readonly StructuralFailure[];
  /** What each migration going up would make and found there, if it got that far. */
  readonly existed: ExistedBefore;
  /** The structure at the end, or where the run failed: of the part that was copied. */
  readonly modelAfter: SchemaModel;
};

export type StructuralRunOptions = {
  /** The real database: it is only read. */
  readonly db: Db;
  readonly database: string;
  readonly scratch: Scratch;
  /** In the order in which they are to run: newest first when going down. */
  readonly migrations: readonly Migration[];
  readonly direction: Direction;
  /** The database's own: every file begins with it. */
  readonly collation: string;
  /** Makes the structure to begin with, in a schema named `database`; that of the database if left out. */
  readonly make?: (admin: Db) => Promise<unknown>;
  /** Its structure, if it has just been read. */
  readonly model?: SchemaModel;
  /** Texts whose words name what `inspect` looks at besides. */
  readonly touches?: readonly string[];
  /** Looks at the copy as the migrations left it, if none failed; what it throws passes. */
  readonly inspect?: (copy: Db) => Promise<void>;
};

/**
 * Copies what the migrations can touch of the structure of the database to the scratch server and
 * runs the migrations on the copy.
 * A statement that fails ends the run and is in `failure`; it is not thrown. One of a migration
 * that is not critical is in `expectedFailures`, if its down file takes the migration back. Needs no lock.
 *
 * @throws DeployError `SCRATCH_FAILED` when the scratch server ends meanwhile.
 */
export async function runStructurally(options: StructuralRunOptions): Promise<StructuralRun> {
  const { scratch, database, direction, collation } = options;
  const given = options.model ?? (options.make ? null : await readSchema(options.db, database));
  const part = given === null ? null : partOf(given, options);
  const make = (admin: Db) =>
    options.make?.(admin) ??
    copyStructure(options.db, database, admin, database, part ?? undefined);
  return withScratchSchema(scratch, database, make, async (db, reader) => {
    await ensureVersionTables(db);
    const rows = isEmpty(given ?? (await readSchema(reader, database))) ? 'all' : 'missing';
    const tracker = await trackStructure(reader, database);
    const statements: StructuralRun['statements'][number][] = [];
    const trial: Trial = {
      ...{ db, direction, collation, rows, dataFunctions: 'run', runsCode: tracker.runsCode },
      ...{ notRolledBack: tracker.notRolledBack, releasesLocks: tracker.releasesLocks },
      onDone: async ({ number: migration }, number, statement) => {
        const changes = statement === null ? [] : await changesOf(tracker, statement);
        const writes = statement === null ? null : tracker.writtenThroughCode(statement);
        statements.push({ migration, number, changes, writes });
      },
    };
    let failure: StructuralFailure | null = null;
    const expectedFailures: StructuralFailure[] = [];
    const existed = new Map<number, readonly Part[]>();
    for (const migration of options.migrations) {
      const found = direction === 'up' ? conditionalParts(migration).filter(tracker.has) : [];
      if (found.length > 0) existed.set(migration.number, found);
      const options = { existed: found, readStructure: tracker.readAll };
      const tried = await tryTakingBack(trial, migration, options);
      if (tried.failure !== null && tried.takenBack) expectedFailures.push(tried.failure);
      else failure = tried.failure;
      if (failure !== null) break;
    }
    const modelAfter = await readSchema(reader, database);
    if (failure === null) await options.inspect?.(reader);
    return { statements, failure, expectedFailures, existed, modelAfter };
  });
}

/**
 * Builds the structure of every version from the files, on an empty schema of the scratch server.
 * The version tables are in every model: they are there before the first migration runs. Data
 * functions are left out, and of statements that change rows only their effect on the structure
 * counts. A migration that is not critical and fails here is left out, too.
 *
 * @throws DeployError `MIGRATION_UNSOUND` or `STATEMENT_FORBIDDEN`, where: the statement that failed.
 */
export async function buildVersionModels(options: {
  readonly scratch: Scratch;
  readonly folder: Pick<MigrationFolder, 'migrations' | 'versions'>;
  readonly charset: string;
  readonly collation: string;
}): Promise<ReadonlyMap<SchemaVersion, SchemaModel>> {
  const { scratch, folder, charset, collation } = options;
  const name = 'deploy_versions';
  const create = (admin: Db) => createSchema(admin, name, { charset, collation });
  return withScratchSchema(scratch, name, create, async (db, reader) => {
    await ensureVersionTables(db);
    const trial: Trial = {
      ...{ db, direction: 'up', collation, rows: 'missing', dataFunctions: 'leave out' },
      runsCode: () => true,
      // What was applied long ago is not refused.
      ...{ notRolledBack: () => undefined, releasesLocks: () => false },
      onDone: async () => undefined,
    };
    const byVersion = Map.groupBy(folder.migrations, ({ version }) => version);
    const models = new Map<SchemaVersion, SchemaModel>();
    for (const version of folder.versions) {
      for (const migration of byVersion.get(version) ?? []) {
        const { failure, takenBack } = await tryTakingBack(trial, migration, {
          existed: [],
          readStructure: async () => fingerprintSchema(await readSchema(reader, name)),
        });
        if (failure !== null && !takenBack) throw unsound(failure);
      }
      models.set(version, await readSchema(reader, name));
    }
    return models;
  });
}

function changesOf(tracker: StructureTracker, statement: ClassifiedStatement) {
  const { class: kind } = statement.classification;
  return kind === 'dml' || kind === 'session' ? [] : tracker.changesOf(statement);
}

/**
 * What of the database the migrations can have to do with; all of it when a part of them is code
 * that nobody can read from outside.
 */
function partOf(whole: SchemaModel, options: StructuralRunOptions): SchemaModel {
  const { migrations, direction } = options;
  const statements = migrations.flatMap((migration) => statementsOf(migration, direction));
  const isHidden =
    migrations.some(({ data }) => data !== null) ||
    statements.some(({ classification }) => classification.class === 'opaque');
  if (isHidden) return whole;
  return touchedBy(whole, [...statements.map(({ sql }) => sql), ...(options.touches ?? [])]);
}

/** Empty but for the version tables: then the copy has every row that the database has. */
function isEmpty({ objects }: SchemaModel): boolean {
  const withRows = ['table', 'view', 'sequence'];
  return [...objects.values()].every(
    ({ kind, name }) => !withRows.includes(kind) || VERSION_TABLES.some((table) => table === name),
  );
}

function unsound({ migration, number, of, where, cause }: StructuralFailure): DeployError {
  if (isDeployError(cause, 'STATEMENT_FORBIDDEN')) {
    return new DeployError(cause.code, cause.message, { where });
  }
  const message = `migration ${migration.number} ${migration.name} failed on an empty database, on statement ${number} of ${of}`;
  return new DeployError('MIGRATION_UNSOUND', message, { cause, where });
}
