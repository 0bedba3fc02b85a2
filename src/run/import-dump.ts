/** An administrator's own dump as a backup set: loaded privately, inspected, taken, proven. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { type Imported, withImportedDump } from '../backup/import-dump.ts';
import type { BackupSet } from '../backup/manifest.ts';
import { importReason } from '../backup/reason.ts';
import { takeBackup } from '../backup/take.ts';
import { withConnection } from '../database/connect.ts';
import { DeployError, isDeployError } from '../errors/deploy-error.ts';
import { readHistory } from '../history/read.ts';
import { resolve } from '../migrations/resolve.ts';
import { formatBytes, type RunContext } from './context.ts';
import type { Facts } from './facts.ts';
import { noteLongWork } from './long-work.ts';
import { step } from './report.ts';

/** The file that `--backup` names, or null when it names no file: then it is a set. */
export async function findDump(
  { config }: Pick<RunContext, 'config'>,
  nameOrPath: string,
): Promise<string | null> {
  for (const file of [path.resolve(nameOrPath), path.join(config.backupDir, nameOrPath)]) {
    const stats = await stat(file).catch(() => null);
    if (stats?.isFile() === true) return file;
    if (stats !== null) return null;
  }
  return null;
}

/**
 * Makes a proven set in BACKUP_DIR of what a dump holds, and says in lines what was found in it.
 * Touches the real server only to read. Needs no lock.
 *
 * @throws DeployError as `withImportedDump` and `takeBackup`
 */
export async function importDump(
  context: RunContext,
  facts: Facts,
  file: string,
): Promise<{ readonly set: BackupSet; readonly lines: readonly string[] }> {
  const { config, log, stop, report } = context;
  const database = config.database.name;
  const { charset, collation } = facts.server.database;
  const { size } = await stat(file);
  log.info({ file, sizeBytes: size }, `loading ${file} (${formatBytes(size)}) in a private server`);
  return step(report, 'import', () =>
    withImportedDump(
      {
        ...{ path: file, database, defaults: { charset, collation, comment: '' }, log },
        ...{ scratchDir: config.scratchDir, scratchVariables: facts.server.variables },
        ...{ onProgress: noteLongWork(log), signal: stop },
      },
      async (address, imported) => {
        const found = await withConnection(address, { database }, async (db) => {
          const row = await db.one<{ n: string }>(
            `SELECT COUNT(*) AS n FROM information_schema.tables
             WHERE table_schema = DATABASE() AND table_type <> 'VIEW'`,
          );
          if (Number(row?.n) === 0) {
            throw new DeployError('BACKUP_SET_INVALID', 'the dump holds no table', { where: file });
          }
          return readVersion(context, db, database);
        });
        const set = await takeBackup({
          ...{ address, database, dir: config.backupDir, log, onProgress: noteLongWork(log) },
          ...{ scratchDir: config.scratchDir, scratchVariables: facts.server.variables },
          scratch: await context.scratch.get(facts.server.variables),
          ...{ schemaVersion: found.version, migrationNumber: found.number },
          ...{ runId: report.run_id, reason: importReason(file), signal: stop },
        });
        const lines = describe(file, set, imported, found);
        for (const line of lines) log.info(line.trim());
        return { set, lines };
      },
    ),
  );
}

type Version = { readonly version: string | null; readonly number: number | null };

/** The version that the dump's own history tables say; none when it has none, or they cannot be read. */
async function readVersion(
  { folder }: RunContext,
  db: Parameters<typeof readHistory>[0],
  database: string,
): Promise<Version> {
  try {
    const { actualVersion, applied } = resolve(folder, await readHistory(db, database));
    return { version: actualVersion, number: applied.at(-1)?.number ?? null };
  } catch (error) {
    if (!isDeployError(error, 'HISTORY_UNREADABLE')) throw error;
    return { version: null, number: null };
  }
}

function describe(
  file: string,
  set: BackupSet,
  imported: Imported,
  { version }: Version,
): string[] {
  const { manifest, name } = set;
  const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0);
  const lines = [
    `${path.basename(file)} holds ${manifest.tables.length} tables, ${rows} rows, version ${version ?? 'none'}; it is now backup set ${name}.`,
  ];
  if (imported.database !== null && imported.database !== manifest.database)
    lines.push(`  it was made of the database ${imported.database}`);
  const left = [...imported.leftOut].map(([what, count]) => `${count} × ${what}`);
  if (left.length > 0)
    lines.push(`  left out, because it is no part of a database: ${left.join(', ')}`);
  if (imported.warned > 0)
    lines.push(
      `  ${imported.warned} statements have values that this server cannot keep as written`,
    );
  if (version === null)
    lines.push('  it has no history that this image knows: up adopts it or refuses');
  return lines;
}
