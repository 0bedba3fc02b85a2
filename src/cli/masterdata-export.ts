/** `deploy masterdata export` and `deploy prepare`: rules data out of a database, into files and packages. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Db } from '../database/connect.ts';
import { waitForServer } from '../database/wait.ts';
import { DeployError, isDeployError } from '../errors/deploy-error.ts';
import { writeCombined } from '../masterdata/combined.ts';
import { readEntities } from '../masterdata/entities.ts';
import type { EntitySet } from '../masterdata/entity.ts';
import { exportMasterdata } from '../masterdata/export.ts';
import type { Metadata } from '../masterdata/format.ts';
import type { RunContext } from '../run/context.ts';
import { readFacts } from '../run/facts.ts';
import { type CommonOptions, inspect, type World } from './invoke.ts';

type Flags = CommonOptions & { readonly output?: string; readonly dryRun?: boolean };

/** Opens a connection to the database for `work`, and closes it. */
export async function withDatabase<T>(
  { config, log, stop }: RunContext,
  work: (db: Db) => Promise<T>,
): Promise<T> {
  const database = config.database.name;
  const db = await waitForServer(config.database, {
    waitMs: config.dbWaitMs,
    log,
    signal: stop,
    database,
  });
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

/** What the image declares. */
async function declared({ config }: RunContext): Promise<EntitySet> {
  if (config.masterdataDir === null) {
    throw new DeployError(
      'CONFIG_INVALID',
      'there is no folder with an entities.json: set MASTERDATA_DIR',
    );
  }
  return readEntities(config.masterdataDir);
}

type Exported = { readonly metadata: Metadata; readonly entities: EntitySet };

/** Writes the master data of the database into `dir`, declared as the image declares it. */
async function exportInto(context: RunContext, db: Db, dir: string, at: Date): Promise<Exported> {
  const { config, folder } = context;
  const entities = await declared(context);
  const facts = await readFacts(db, config, folder);
  const metadata = await exportMasterdata(db, entities, dir, {
    backendVersion: config.backendVersion ?? '',
    dbVersion: facts.resolution.actualVersion ?? '',
    timestamp: at.toISOString(),
    gameSystem: entities.gameSystems[0]?.name ?? '',
  });
  return { metadata, entities };
}

/** Exports into a folder that is gone afterwards. */
async function withExport<T>(
  context: RunContext,
  db: Db,
  at: Date,
  work: (dir: string, exported: Exported) => Promise<T>,
): Promise<T> {
  const dir = await mkdtemp(path.join(tmpdir(), 'deploy-export-'));
  try {
    return await work(dir, await exportInto(context, db, dir, at));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** SOURCE_DATE_EPOCH makes two exports of the same rows the same bytes. */
function createdAt({ env }: World): Date {
  const epoch = env['SOURCE_DATE_EPOCH'] ?? '';
  if (epoch === '') return new Date();
  // Twelve digits are some 30,000 years, and still a date.
  if (/^\d{1,12}$/.test(epoch)) return new Date(Number(epoch) * 1000);
  throw new DeployError(
    'CONFIG_INVALID',
    'SOURCE_DATE_EPOCH is not a number of seconds since 1970',
  );
}

/** `deploy masterdata export --output DIR|FILE.json`: a folder, or the combined file. */
export async function exportCommand(world: World, flags: Flags): Promise<number> {
  return inspect(world, flags, (context) =>
    withDatabase(context, async (db) => {
      const output = path.resolve(flags.output!);
      const at = createdAt(world);
      const finish = async (dir: string, { metadata, entities }: Exported) => {
        if (output.endsWith('.json')) await writeCombined(dir, metadata, entities, output);
        return { metadata, warning: await warnOfExport(context, db, dir, entities) };
      };
      const { metadata, warning } = output.endsWith('.json')
        ? await withExport(context, db, at, finish)
        : await finish(output, await exportInto(context, db, output, at));
      const files = Object.values(metadata.files);
      const rows = files.reduce((sum, { count }) => sum + count, 0);
      const text = `${rows} rows of ${files.length} entities written to ${output}\n${warning}`;
      return { value: metadata, text, exitCode: 0 };
    }),
  );
}

/**
 * Finds what every import of an export would refuse, against the database that it is from.
 *
 * @throws DeployError `MASTERDATA_INVALID` with the rows.
 */
async function checkExport(db: Db, dir: string, entities: EntitySet): Promise<void> {
  const { readMasterdata } = await import('../masterdata/read.ts');
  const { checkAgainstRows } = await import('../masterdata/sync.ts');
  await checkAgainstRows(db, await readMasterdata(dir, entities));
}

/** An export is also for looking at what is wrong: then it is written, with a warning. */
async function warnOfExport(
  { log }: RunContext,
  db: Db,
  dir: string,
  entities: EntitySet,
): Promise<string> {
  try {
    await checkExport(db, dir, entities);
    return '';
  } catch (error) {
    if (!isDeployError(error, 'MASTERDATA_INVALID')) throw error;
    const problems = (error.facts['problems'] ?? []) as { where: string; message: string }[];
    log.warn({ err: error }, 'no import would take this export');
    const lines = problems.map(({ where, message }) => `  ${where}: ${message}\n`);
    return `no import would take this export: ${error.message}\n${lines.join('')}`;
  }
}

/**
 * `deploy prepare --output FILE`: exports from the database and packs it for another one. What
 * nobody could import is refused: exit code 15.
 */
export async function prepareCommand(world: World, flags: Flags): Promise<number> {
  return inspect(world, flags, (context) =>
    withDatabase(context, async (db) => {
      const { packageName, writePackage } = await import('../bundle/write-package.ts');
      const at = createdAt(world);
      return withExport(context, db, at, async (dir, { metadata, entities }) => {
        const { db_version: version } = metadata;
        await checkExport(db, dir, entities);
        const output = path.resolve(flags.output ?? packageName(version));
        const options = { masterdataDir: dir, version, toolVersion: context.toolVersion };
        // A dry run packs as well, so that the checksum is that of the package to come.
        const file = flags.dryRun ? path.join(dir, '..', `${path.basename(dir)}.tar.gz`) : output;
        const written = await writePackage({ ...options, output: file, createdAt: at });
        if (flags.dryRun) await rm(file);
        const { rows } = written.metadata.counts;
        const what = `${rows} rows for ${version}, sha256 ${written.sha256}`;
        const text = flags.dryRun
          ? `would write ${output}: ${what}; nothing has been written\n`
          : `${output}: ${what}\n`;
        return { value: { ...written, file: output }, text, exitCode: 0 };
      });
    }),
  );
}
