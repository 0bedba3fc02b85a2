import { type ListedSet, listSets } from '../backup/list.ts';
import { type Decision, decideRetention } from '../backup/retention.ts';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { readMigrations } from '../migrations/files.ts';
import { formatBytes } from '../run/context.ts';
import { up } from '../run/up.ts';
import { type CommonOptions, execute, guard, type World } from './invoke.ts';
import { printUsageError } from './usage.ts';

/** `deploy backup create`: takes a backup and proves it; changes nothing in the database. */
export async function createCommand(
  world: World,
  flags: CommonOptions & { readonly format?: string },
): Promise<number> {
  const { format = 'sql' } = flags;
  if (format !== 'sql' && format !== 'json')
    return printUsageError(world, `${format} is no format: sql or json`);
  return execute(world, flags, (context) =>
    up(context, { forward: false, select: new Set(['backup']), format }),
  );
}

/**
 * `deploy backup list`: the sets of BACKUP_DIR, newest first, damaged ones with the reason, and why
 * each is kept. Reads files only: it also works while there is no database, when it matters most.
 */
export async function listCommand(world: World, flags: CommonOptions): Promise<number> {
  return guard(world, flags, async () => {
    const config = loadConfig(world.env, { database: 'optional' });
    const now = new Date();
    const decisions = await decide(config, now);
    const output = flags.json
      ? `${JSON.stringify(
          decisions.map((decision) => setJson(decision, now)),
          null,
          2,
        )}\n`
      : renderSets(decisions, config.backupDir, now);
    world.streams.stdout.write(output);
    return 0;
  });
}

/** Each set is judged among those of its own database. */
async function decide(config: Config, now: Date): Promise<Decision[]> {
  const sets = await listSets(config.backupDir);
  const versions = await readMigrations(config.migrationsDir).then(
    (folder) => folder.versions,
    () => [],
  );
  const policy = { retentionDays: config.backupRetentionDays, keepLast: config.backupKeepLast };
  const decisionsOf = new Map(
    [...new Set(sets.map(({ manifest }) => manifest?.database ?? ''))].map((database) => [
      database,
      decideRetention({ database, sets, versions, now, server: null }, policy),
    ]),
  );
  return sets.map((set, index) => decisionsOf.get(set.manifest?.database ?? '')![index]!);
}

function setJson({ set, keptBecause }: Decision, now: Date): Record<string, unknown> {
  const { name, manifest, problem, sizeBytes } = set;
  return {
    name,
    problem,
    database: manifest?.database ?? null,
    version: manifest?.schemaVersion ?? null,
    created_at: manifest?.createdAt ?? null,
    age_seconds: manifest === null ? null : Math.floor(ageMs(manifest, now) / 1000),
    size_bytes: manifest === null ? null : sizeBytes,
    tables: manifest?.tables.length ?? null,
    rows: manifest === null ? null : rowsOf(manifest),
    proven_at: manifest?.proof?.at ?? null,
    reason: manifest?.reason ?? null,
    kept_because: keptBecause,
  };
}

type KnownManifest = NonNullable<ListedSet['manifest']>;

function ageMs({ createdAt }: KnownManifest, now: Date): number {
  return now.getTime() - Date.parse(createdAt);
}

function rowsOf({ tables }: KnownManifest): number {
  return tables.reduce((sum, table) => sum + table.rows, 0);
}

function renderSets(decisions: readonly Decision[], dir: string, now: Date): string {
  if (decisions.length === 0) return `no backup sets in ${dir}\n`;
  const lines = decisions.flatMap(({ set, keptBecause }) => {
    const { name, manifest, problem, sizeBytes } = set;
    if (manifest === null) return `${name.padEnd(28)} cannot be used: ${problem}`;
    const proof = manifest.proof === null ? 'not proven' : `proven ${manifest.proof.at}`;
    const size = `${manifest.tables.length} tables, ${rowsOf(manifest)} rows, ${formatBytes(sizeBytes)}`;
    const head = `${name.padEnd(28)} ${manifest.database} ${manifest.schemaVersion ?? 'no version'}`;
    const kept = keptBecause.length === 0 ? 'may be pruned' : `kept: ${keptBecause.join(', ')}`;
    const age = `${formatAge(ageMs(manifest, now))} old`;
    return [`${head}, ${age}, ${size}, ${proof}, ${manifest.reason}`, `${''.padEnd(28)} ${kept}`];
  });
  return `${lines.join('\n')}\n`;
}

/** `3 d`, `5 h` or `12 min`; the clock may say that a set was made in the future. */
function formatAge(ms: number): string {
  const minutes = Math.floor(Math.max(0, ms) / 60_000);
  if (minutes < 120) return `${minutes} min`;
  return minutes < 2880 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
}
