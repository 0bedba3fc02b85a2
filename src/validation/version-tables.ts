import type { HistoryFacts } from '../history/read.ts';
import { VERSION_TABLES } from '../history/tables.ts';
import { compareVersions, parseVersion } from '../history/versions.ts';
import { type Check, type CheckInput, type Finding, makeFinding } from './finding.ts';

const name = 'version-tables';

/** `migration_history` is the truth; others append to `schema_version`, too (Bamort's backend does). */
export const versionTablesCheck: Check = {
  name,
  asks: 'Do the two version tables agree with each other and with the files?',
  run({ history, folder }) {
    return [
      ...missingTables(history),
      ...history.problems.map((problem) =>
        makeFinding(name, 'warning', {
          about: problem,
          message: problem,
          advice: 'correct the row by hand; this program works without it',
        }),
      ),
      ...checksums(history, folder),
      ...foreignRows(history),
      ...lastRow(history),
    ];
  },
};

function missingTables({ present }: HistoryFacts): Finding[] {
  const isPresent = {
    schema_version: present.schemaVersion,
    migration_history: present.migrationHistory,
  };
  return VERSION_TABLES.filter((table) => !isPresent[table]).map((table) =>
    makeFinding(name, 'error', {
      about: `table ${table}`,
      message: `table ${table} is missing`,
      advice: 'deploy up creates it and records what is applied',
    }),
  );
}

function checksums(history: HistoryFacts, folder: CheckInput['folder']): Finding[] {
  const files = new Map(folder.migrations.map((migration) => [migration.number, migration]));
  return history.applied.flatMap(({ number, version, checksum }) => {
    const about = `checksum ${number}`;
    if (checksum === null)
      return makeFinding(name, 'info', {
        about,
        message: `schema_version has no checksum of migration ${number} of ${version}`,
        advice: 'nothing needs to be done: nobody can tell whether its file has changed since',
      });
    const file = files.get(number);
    if (file === undefined || [file.checksum, file.rawChecksum].includes(checksum)) return [];
    return makeFinding(name, 'warning', {
      about,
      message: `migration ${number} of ${version} was applied from another file than this image has`,
      advice: 'bring the file back as it was, and put the change into a new migration',
    });
  });
}

/** Rows about migrations that the history does not have as applied in that version. */
function foreignRows({ applied, schemaVersionRows }: HistoryFacts): Finding[] {
  const known = new Set(applied.map(({ number, version }) => `${number} ${version}`));
  // A revert appends the version below: that is one of the applied ones, or none at all.
  const foreign = schemaVersionRows.filter(
    ({ number, version }) => number !== 0 && !known.has(`${number} ${version}`),
  );
  if (foreign.length === 0) return [];
  const texts = [...new Set(foreign.map(({ version, number }) => `${version} (${number})`))];
  return [
    makeFinding(name, 'info', {
      about: 'rows of others',
      message: `schema_version has ${foreign.length} rows that migration_history does not confirm: ${texts.slice(0, 5).join(', ')}`,
      advice: 'nothing needs to be done: only migration_history counts',
      keys: foreign.slice(0, 10).map(({ id }) => id),
      count: foreign.length,
    }),
  ];
}

/** A backend that shows the last row shows another version than the true one. */
function lastRow({ applied, schemaVersionRows }: HistoryFacts): Finding[] {
  const last = schemaVersionRows.at(-1);
  const newest = applied
    .map(({ version }) => version)
    .filter((version) => parseVersion(version) !== null)
    .sort(compareVersions)
    .at(-1);
  if (last === undefined || newest === undefined || last.version === newest) return [];
  return [
    makeFinding(name, 'info', {
      about: 'last row',
      message: `the last row of schema_version says ${last.version}, the history says ${newest}`,
      advice: 'nothing needs to be done; what shows the last row shows the wrong version',
      keys: [last.id],
    }),
  ];
}
