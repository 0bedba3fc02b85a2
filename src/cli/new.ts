import { loadConfig } from '../config/load.ts';
import { parseVersion } from '../history/versions.ts';
import { readMigrations } from '../migrations/files.ts';
import { migrationName, planNewMigration, writeNewMigration } from '../migrations/new-files.ts';
import { type CommonOptions, guard, type World } from './invoke.ts';
import { printUsageError } from './usage.ts';

/** `deploy new NAME`: makes the up and down file of the next migration. Needs no server. */
export async function newCommand(
  world: World,
  name: string,
  flags: CommonOptions & { readonly version?: string },
): Promise<number> {
  const problem = problemOf(name, flags.version);
  if (problem !== null) return printUsageError(world, problem);
  return guard(world, flags, async () => {
    const { migrationsDir } = loadConfig(world.env, { database: 'optional' });
    const folder = await readMigrations(migrationsDir);
    const planned = planNewMigration(folder, { name, version: flags.version ?? null });
    await writeNewMigration(migrationsDir, planned);
    const text = [
      `made ${migrationsDir}/${planned.up}`,
      `made ${migrationsDir}/${planned.down}`,
      'write the statements, bring schema.sql to the same structure, then: deploy plan',
    ];
    const { number, version } = planned;
    const value = { number, version, up: planned.up, down: planned.down, dir: migrationsDir };
    const output = flags.json ? JSON.stringify(value, null, 2) : text.join('\n');
    world.streams.stdout.write(`${output}\n`);
    return 0;
  });
}

function problemOf(name: string, version: string | undefined): string | null {
  if (!migrationName.test(name) || name.length > 100) {
    const near = name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '_')
      .replaceAll(/^_+|_+$/g, '')
      .slice(0, 100);
    const hint = near === '' ? '' : `: is ${near} meant?`;
    return `${JSON.stringify(name)} is no snake_case name of at most 100 characters${hint}`;
  }
  if (version !== undefined && parseVersion(version) === null)
    return `${version} is no version like 0.4.0`;
  return null;
}
