/**
 * The history and the files do not fit: every way in which they can differ has its own sentence
 * and its own way on. Pure.
 */
import { literal } from '../database/literal.ts';
import type { Traces } from '../history/traces.ts';
import { parseVersion } from '../history/versions.ts';
import { INSTALL_NUMBER } from '../migrations/install-number.ts';
import type { Migration } from '../migrations/migration.ts';
import type { ChangedMigration } from '../migrations/resolve.ts';
import type { Refusal } from './plan.ts';
import type { StateFacts } from './state-facts.ts';

/** What the history is compared with; without traces nothing is looked for in them. */
type HistoryState = Pick<StateFacts, 'folder' | 'history' | 'resolution'> & {
  readonly traces: Traces | null;
};

/** Removed rows, holes, files out of order, changed and missing ones. */
export function refuseHistory(facts: HistoryState): Refusal[] {
  return [
    ...refuseRemoved(facts),
    ...facts.resolution.changed.map(refuseChanged),
    ...facts.resolution.missing.map(refuseMissing),
    ...facts.resolution.outOfOrder.flatMap((migration) => refuseOutOfOrder(facts, migration)),
  ];
}

/** What the history lacks although it was there: looked at before a schema is adopted. */
export function refuseRemoved({ history, traces, folder }: HistoryState): Refusal[] {
  const code = 'HISTORY_INCOMPLETE';
  const refusals: Refusal[] = [];
  if (traces !== null && traces.strayRuns.length > 0) {
    refusals.push({
      code,
      where: 'deploy_run',
      message: `deploy_journal knows runs that deploy_run does not: ${traces.strayRuns.slice(0, 5).join(', ')}`,
      next: [
        'deploy schema diff shows whether the database is at a version',
        'when it is: DROP TABLE deploy_run, deploy_journal; both are made again',
        'when it is not: restore a proven set by hand (docs/runbook.md)',
      ],
    });
  }
  if (!history.present.schemaVersion && history.applied.length > 0) {
    const message = 'the table schema_version is missing, and migration_history has rows';
    refusals.push({ code, message, where: 'schema_version', next: [tableFromSet] });
  }
  const known = new Set([...history.applied, ...history.failed].map(({ number }) => number));
  const files = new Map(folder.migrations.map((migration) => [migration.number, migration]));
  const removed = [...(traces?.applied ?? [])].filter(
    ([number]) => number !== INSTALL_NUMBER && !known.has(number),
  );
  // One way on for all of them, said once.
  const wayOn = history.present.migrationHistory
    ? () => insertRows(removed.flatMap(([number]) => files.get(number) ?? []))
    : () => tableFromSet;
  for (const [index, [number, runId]] of removed.entries()) {
    refusals.push({
      code,
      where: 'migration_history',
      message: `migration ${number} ${files.get(number)?.name ?? ''} was applied by run ${runId}, and its row is gone from migration_history`,
      next: index > 0 ? [] : [wayOn(), handMade],
    });
  }
  return refusals;
}

const handMade =
  'if somebody put the database back by hand: DROP TABLE deploy_run, deploy_journal; both are made again';
const tableFromSet =
  'bring the table back from a backup set: docs/runbook.md, section A table of the history was changed';

function insertRows(migrations: readonly Migration[]): string {
  const rows = migrations.map(
    ({ number, version, description }) =>
      `(${number}, ${literal(version)}, ${literal(description)}, 1, 1)`,
  );
  return `bring the rows back: INSERT INTO migration_history (migration_number, version, description, success, rollback_available) VALUES ${rows.join(', ')};`;
}

function refuseChanged({ migration, recorded, onlyLineEndings }: ChangedMigration): Refusal {
  const { number, name, up } = migration;
  const base = { code: 'CHECKSUM_CHANGED', where: up.path } as const;
  if (recorded.version !== migration.version) {
    return {
      ...base,
      message: `migration ${number} ${name} was applied as one of ${recorded.version || 'no version'}, and its file is in ${migration.version}`,
      next: [`move the file back to the folder ${recorded.version || 'it came from'}`],
    };
  }
  if (onlyLineEndings) {
    return {
      ...base,
      message: `migration ${number} ${name} was applied with other line endings, and nothing else differs`,
      next: [
        `record the checksum of the file as it is: deploy resolve --accept-checksum ${number}`,
      ],
    };
  }
  return {
    ...base,
    message: `migration ${number} ${name} was applied with other contents than its file has now`,
    next: [
      'bring the file back as it was, and put the change into a new migration',
      `if it was changed on purpose and does the same: deploy resolve --accept-checksum ${number}`,
    ],
  };
}

function refuseMissing({ number, version }: { number: number; version: string }): Refusal {
  const code = 'MIGRATION_MISSING';
  if (parseVersion(version) === null) {
    return {
      code,
      message: `migration ${number} is recorded with version ${JSON.stringify(version)}, which is none, and has no file here`,
      where: 'migration_history',
      next: [
        'correct the version in migration_history, or remove the row if it is not a migration',
      ],
    };
  }
  const message = `migration ${number} (${version}) is applied and has no file here`;
  return { code, message, next: [`use an image whose folder ${version} has the file`] };
}

/** A pending migration below an applied one: a lost row, an earlier failure, or a late file. */
function refuseOutOfOrder({ history, traces }: HistoryState, migration: Migration): Refusal[] {
  const { number, name, version, up } = migration;
  if (traces?.applied.has(number)) return [];
  const title = `migration ${number} ${name}`;
  const rows = history.schemaVersionRows;
  if (rows.some((row) => row.number === number && row.version === version)) {
    return [
      {
        code: 'HISTORY_INCOMPLETE',
        message: `${title} is a hole: schema_version has it, later ones are applied, and migration_history has no row of it`,
        where: 'migration_history',
        next: ['deploy schema diff shows whether what it makes is there', insertRows([migration])],
      },
    ];
  }
  const code = 'OUT_OF_ORDER';
  if (history.failed.some((failed) => failed.number === number)) {
    return [
      {
        code,
        message: `${title} is recorded as failed, and later ones are applied`,
        where: 'migration_history',
        next: ['find out what it lacks (column error_message), and put that into a new migration'],
      },
    ];
  }
  const message = `${title} is pending, but a later one is already applied`;
  return [{ code, message, where: up.path }];
}
