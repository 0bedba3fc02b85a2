/** `deploy masterdata …` and `deploy prepare`: rules data between a database, folders and packages. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Db } from '../database/connect.ts';
import { waitForServer } from '../database/wait.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { readEntities } from '../masterdata/entities.ts';
import { exportMasterdata } from '../masterdata/export.ts';
import type { Metadata } from '../masterdata/format.ts';
import { hasChanges } from '../masterdata/report.ts';
import type { RunContext } from '../run/context.ts';
import { readFacts } from '../run/facts.ts';
import { checkSelection, planUp, type UpOptions, up } from '../run/up.ts';
import { type CommonOptions, execute, inspect, type World } from './invoke.ts';
import { renderSync } from './render-masterdata.ts';

type Flags = CommonOptions & {
  readonly input?: string;
  readonly output?: string;
  readonly dryRun?: boolean;
};

async function withDatabase<T>(
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

/** Writes the master data of the database into `dir`, declared as the image declares it. */
async function exportInto(context: RunContext, db: Db, dir: string, at: Date): Promise<Metadata> {
  const { config, folder } = context;
  if (config.masterdataDir === null) {
    throw new DeployError(
      'CONFIG_INVALID',
      'there is no folder with an entities.json: set MASTERDATA_DIR',
    );
  }
  const entities = await readEntities(config.masterdataDir);
  const facts = await readFacts(db, config, folder);
  return exportMasterdata(db, entities, dir, {
    backendVersion: config.backendVersion ?? '',
    dbVersion: facts.resolution.actualVersion ?? '',
    timestamp: at.toISOString(),
    gameSystem: entities.gameSystems[0]?.name ?? '',
  });
}

/** SOURCE_DATE_EPOCH makes two exports of the same rows the same bytes. */
function createdAt({ env }: World): Date {
  const epoch = env['SOURCE_DATE_EPOCH'];
  return epoch === undefined ? new Date() : new Date(Number(epoch) * 1000);
}

/** `deploy masterdata export --output DIR`. */
export async function exportCommand(world: World, flags: Flags): Promise<number> {
  return inspect(world, flags, (context) =>
    withDatabase(context, async (db) => {
      const dir = path.resolve(flags.output!);
      const metadata = await exportInto(context, db, dir, createdAt(world));
      const files = Object.values(metadata.files);
      const rows = files.reduce((sum, { count }) => sum + count, 0);
      return {
        value: metadata,
        text: `${rows} rows of ${files.length} entities written to ${dir}\n`,
        exitCode: 0,
      };
    }),
  );
}

/** `deploy masterdata import --input DIR`: the master data step of `up` with another folder. */
export async function importCommand(world: World, flags: Flags): Promise<number> {
  const options: UpOptions = { forward: false, select: new Set(['masterdata', 'validate']) };
  const own = withInput(world, flags);
  if (flags.dryRun) return inspect(own, flags, (context) => previewImport(context, options));
  return execute(own, flags, (context) => up(context, options));
}

/** The plan of the import and what it would write: exit code 0 nothing, 30 something, 13 refused. */
async function previewImport(context: RunContext, options: UpOptions) {
  const { db, looked } = await planUp(context, options);
  try {
    const { plan, facts } = looked;
    checkSelection(options, plan, facts, 'before');
    if (plan.mode === 'refused') {
      const { planJson, renderPlan } = await import('./render-plan.ts');
      return { value: planJson(plan, facts), text: renderPlan(plan, facts), exitCode: 13 };
    }
    const masterdata = await context.masterdata.get();
    if (masterdata === null) return { value: null, text: 'there is no master data\n', exitCode: 0 };
    const { diffMasterdata } = await import('../masterdata/sync.ts');
    const report = await diffMasterdata(db, masterdata.set);
    const text = `${renderSync(report)}nothing has been changed\n`;
    return { value: report, text, exitCode: hasChanges(report) ? 30 : 0 };
  } finally {
    await db.close();
  }
}

/** `deploy masterdata diff`: what an import would change; changes nothing. */
export async function diffCommand(world: World, flags: Flags): Promise<number> {
  return inspect(withInput(world, flags), flags, (context) =>
    withDatabase(context, async (db) => {
      const masterdata = await context.masterdata.get();
      if (masterdata === null)
        return { value: null, text: 'there is no master data\n', exitCode: 0 };
      const { diffMasterdata } = await import('../masterdata/sync.ts');
      const report = await diffMasterdata(db, masterdata.set);
      return { value: report, text: renderSync(report), exitCode: 0 };
    }),
  );
}

/** `deploy prepare --output FILE`: exports from the database and packs it for another one. */
export async function prepareCommand(world: World, flags: Flags): Promise<number> {
  return inspect(world, flags, (context) =>
    withDatabase(context, async (db) => {
      const { packageName, writePackage } = await import('../bundle/write-package.ts');
      const dir = await mkdtemp(path.join(tmpdir(), 'deploy-prepare-'));
      try {
        const at = createdAt(world);
        const { db_version: version } = await exportInto(context, db, dir, at);
        const output = path.resolve(flags.output ?? packageName(version));
        const options = { masterdataDir: dir, version, toolVersion: context.toolVersion };
        const written = await writePackage({ ...options, output, createdAt: at });
        const { rows } = written.metadata.counts;
        const text = `${written.file}: ${rows} rows for ${version}, sha256 ${written.sha256}\n`;
        return { value: written, text, exitCode: 0 };
      } finally {
        await rm(dir, { recursive: true, force: true });
      }
    }),
  );
}

function withInput(world: World, { input }: Flags): World {
  if (input === undefined) return world;
  const env = { ...world.env, MASTERDATA: 'always' };
  return { ...world, env, masterdataInput: path.resolve(input) };
}
