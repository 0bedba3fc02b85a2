import { type ListedSet, listSets } from '../backup/list.ts';
import { loadConfig } from '../config/load.ts';
import { formatBytes } from '../run/context.ts';
import { up } from '../run/up.ts';
import { type CommonOptions, execute, guard, type World } from './invoke.ts';

/** `deploy backup create`: takes a backup and proves it; changes nothing in the database. */
export async function createCommand(world: World, flags: CommonOptions): Promise<number> {
  return execute(world, flags, (context) =>
    up(context, { forward: false, select: new Set(['backup']) }),
  );
}

/** `deploy backup list`: the sets of BACKUP_DIR, newest first, damaged ones with the reason. */
export async function listCommand(world: World, flags: CommonOptions): Promise<number> {
  return guard(world, flags, async () => {
    const config = loadConfig(world.env, { database: 'optional' });
    const sets = await listSets(config.backupDir);
    const output = flags.json
      ? `${JSON.stringify(sets.map(setJson), null, 2)}\n`
      : renderSets(sets, config.backupDir);
    world.streams.stdout.write(output);
    return 0;
  });
}

function setJson({ name, manifest, problem }: ListedSet): Record<string, unknown> {
  return {
    name,
    problem,
    database: manifest?.database ?? null,
    version: manifest?.schemaVersion ?? null,
    created_at: manifest?.createdAt ?? null,
    size_bytes: manifest === null ? null : sizeOf(manifest),
    tables: manifest?.tables.length ?? null,
    rows: manifest === null ? null : rowsOf(manifest),
    proven_at: manifest?.proof?.at ?? null,
    reason: manifest?.reason ?? null,
  };
}

type KnownManifest = NonNullable<ListedSet['manifest']>;

function sizeOf({ files }: KnownManifest): number {
  return files.reduce((sum, file) => sum + file.sizeBytes, 0);
}

function rowsOf({ tables }: KnownManifest): number {
  return tables.reduce((sum, table) => sum + table.rows, 0);
}

function renderSets(sets: readonly ListedSet[], dir: string): string {
  if (sets.length === 0) return `no backup sets in ${dir}\n`;
  const lines = sets.map(({ name, manifest, problem }) => {
    if (manifest === null) return `${name.padEnd(28)} cannot be used: ${problem}`;
    const proof = manifest.proof === null ? 'not proven' : `proven ${manifest.proof.at}`;
    const size = `${manifest.tables.length} tables, ${rowsOf(manifest)} rows, ${formatBytes(sizeOf(manifest))}`;
    return `${name.padEnd(28)} ${manifest.database} ${manifest.schemaVersion ?? 'no version'}, ${size}, ${proof}, ${manifest.reason}`;
  });
  return `${lines.join('\n')}\n`;
}
