import { waitForServer } from '../database/wait.ts';
import { parseVersion } from '../history/versions.ts';
import type { RunContext } from '../run/context.ts';
import { diffSchema, type SchemaDiff } from '../run/schema-diff.ts';
import { readSchema } from '../schema/read.ts';
import { renderSchema } from '../schema/render.ts';
import { type CommonOptions, inspect, type World } from './invoke.ts';
import { printUsageError } from './usage.ts';

function open({ config, log, stop }: RunContext) {
  const { name: database } = config.database;
  return waitForServer(config.database, { waitMs: config.dbWaitMs, log, signal: stop, database });
}

/** `deploy schema dump`: the structure of the database as text that is always the same for the same structure. */
export async function dumpCommand(world: World, flags: CommonOptions): Promise<number> {
  return inspect(world, flags, async (context) => {
    const db = await open(context);
    try {
      const model = await readSchema(db, context.config.database.name);
      const { charset, collation, comment = '' } = model;
      const value = { charset, collation, comment, objects: [...model.objects.values()] };
      return { value, text: renderSchema(model), exitCode: 0 };
    } finally {
      await db.close();
    }
  });
}

/** `deploy schema diff`: exit code 0 when the database is what its migrations make, else 15. */
export async function diffCommand(
  world: World,
  flags: CommonOptions & { readonly version?: string },
): Promise<number> {
  const version = flags.version ?? null;
  if (version !== null && parseVersion(version) === null)
    return printUsageError(world, `${version} is no version like 0.4.0`);
  return inspect(world, flags, async (context) => {
    const db = await open(context);
    try {
      const diff = await diffSchema(context, db, version);
      const exitCode = diff.differences.length === 0 ? 0 : 15;
      const value = { database: context.config.database.name, equal: exitCode === 0, ...diff };
      return { value, text: renderDiff(value.database, diff), exitCode };
    } finally {
      await db.close();
    }
  });
}

function renderDiff(database: string, { version, differences }: SchemaDiff): string {
  if (differences.length === 0)
    return `${database} has the structure that the migrations make of ${version}\n`;
  const lines = differences.map(({ message, additive }) => `${additive ? '+' : '!'} ${message}`);
  const more = differences.filter(({ additive }) => additive).length;
  const sum = `${database} against ${version}: ${differences.length - more} missing or different (!), ${more} more than expected (+)`;
  return `${[...lines, sum].join('\n')}\n`;
}
