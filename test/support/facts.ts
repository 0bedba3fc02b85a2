/** Facts for tests of the plan: migrations written as SQL text, a history as a list of numbers. */
import { createHash } from 'node:crypto';
import type { MigrationFolder } from '../../src/migrations/files.ts';
import type { Migration, MigrationScript } from '../../src/migrations/migration.ts';
import { resolve } from '../../src/migrations/resolve.ts';
import type { Facts } from '../../src/run/facts.ts';
import type { PlanSettings } from '../../src/run/plan.ts';
import { classify, hashStatement } from '../../src/statements/classify.ts';
import { splitStatements } from '../../src/statements/split.ts';

export const settings: PlanSettings = {
  updatePath: 'next',
  fence: 'off',
  fenceUsers: [],
  forward: false,
  masterdata: 'changed',
  admin: { user: null, email: null, password: null },
};

/** A migration of `version` from the text of its files. */
export function migrationOf(
  number: number,
  version: string,
  up: string,
  more: {
    readonly down?: string | null;
    readonly rerunnable?: boolean;
    readonly critical?: boolean;
  } = {},
): Migration {
  const name = `change_${number}`;
  const script = (text: string, direction: string): MigrationScript => {
    const path = `migrations/${version}/${String(number).padStart(4, '0')}_${name}.${direction}.sql`;
    const statements = splitStatements(text, path).map((statement) => ({
      ...statement,
      classification: classify(statement.sql, statement.quoting),
      hash: hashStatement(statement.sql),
    }));
    return { path, statements, rerunnable: more.rerunnable ?? false };
  };
  const checksum = createHash('sha256').update(up).digest('hex');
  return {
    ...{ number, version, name, description: `change ${number}`, critical: more.critical ?? true },
    up: script(up, 'up'),
    down: more.down === null ? null : script(more.down ?? 'DO 0;', 'down'),
    ...{ data: null, checksum, rawChecksum: checksum, crlfChecksum: checksum },
  };
}

/** A folder of one migration in each of 0.3.0, 0.4.0 and 0.5.0, two in the last. */
export function folderOf(
  migrations: readonly Migration[] = [
    migrationOf(0, '0.3.0', 'CREATE TABLE a (id INT PRIMARY KEY);', { down: 'DROP TABLE a;' }),
    migrationOf(1, '0.4.0', 'ALTER TABLE a ADD b INT;', { down: 'ALTER TABLE a DROP b;' }),
    migrationOf(2, '0.5.0', 'CREATE TABLE c (id INT PRIMARY KEY);', { down: 'DROP TABLE c;' }),
    migrationOf(3, '0.5.0', 'INSERT INTO c VALUES (1);', { down: 'DELETE FROM c;' }),
  ],
): MigrationFolder {
  const versions = [...new Set(migrations.map(({ version }) => version))];
  return { migrations, versions, dir: 'migrations', schemaSql: null };
}

/** Facts of a database on which the migrations `applied` ran, in an image that requires the highest version. */
export function factsOf(
  given: Partial<Facts> & {
    readonly applied?: readonly number[];
    readonly failed?: readonly number[];
  } = {},
): Facts {
  const folder = given.folder ?? folderOf();
  const { applied = [], failed = [], ...more } = given;
  const rowOf = (number: number) =>
    folder.migrations.find((migration) => migration.number === number)!;
  const history = given.history ?? {
    present: { schemaVersion: true, migrationHistory: true },
    applied: applied.map(rowOf).map(({ number, version, description, checksum }) => ({
      ...{ number, version, description, checksum, appliedAt: null, appliedBy: null },
      ...{ executionTimeMs: 1, rollbackAvailable: true },
    })),
    failed: failed
      .map(rowOf)
      .map(({ number, version, description }) => ({ number, version, description, error: null })),
    ...{ schemaVersionRows: [], problems: [], appliedAtType: 'epoch' as const },
  };
  return {
    server: {
      ...{
        flavor: 'mariadb',
        serverVersion: '10.11.19',
        versionText: '10.11.19-MariaDB',
        currentUser: 'deploy@%',
      },
      ...{
        readOnly: false,
        replica: false,
        galera: false,
        sizeBytes: 0,
        variables: {},
        grants: [],
      },
      database: { name: 'shop', charset: 'utf8mb4', collation: 'utf8mb4_unicode_ci' },
    },
    ...{ missingRights: [], missingFenceRights: [], unknownFenceUsers: [], folder, history },
    requiredVersion: folder.versions.at(-1)!,
    resolution: resolve(folder, history),
    relations: applied.length > 0 ? ['a'] : [],
    ...{
      traces: null,
      unfinished: null,
      lastRun: null,
      lastMasterdata: null,
      masterdata: null,
      adoption: null,
    },
    structural: {
      statements: [],
      failure: null,
      expectedFailures: [],
      existed: new Map(),
      modelAfter: { charset: 'utf8mb4', collation: 'x', objects: new Map() },
    },
    ...more,
  };
}
