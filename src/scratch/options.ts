import type { InstancePaths } from './instance.ts';

/** `relaxed`: a crash of the machine may lose everything, which nobody misses. `full`: as a real server. */
export type Durability = 'relaxed' | 'full';

export type ServerOptions = {
  /** `ServerFacts.variables` of the server that this one stands for; only those of `SHARED_VARIABLES` count. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly durable?: Durability;
  readonly bufferPoolMb?: number;
  /**
   * `small`: a server that may get no rows at all starts in half the time; `growRedoLog` makes the
   * log as large as loading needs it. Left out: large from the start.
   */
  readonly redoLog?: 'small';
  /** SQL may read and write files only below the server's own temporary folder: for foreign SQL. */
  readonly confined?: true;
};

/**
 * Global variables that decide what a CREATE statement makes of itself, so a scratch server must
 * have them as the real one (experiments §4). One that the local server does not know is left out
 * by it (`loose-`).
 */
export const SHARED_VARIABLES = [
  'character_set_server',
  'collation_server',
  'character_set_collations',
  'sql_mode',
  'old_mode',
  'lower_case_table_names',
  'explicit_defaults_for_timestamp',
  'default_storage_engine',
  'innodb_strict_mode',
  'innodb_default_row_format',
  'innodb_file_per_table',
  'innodb_page_size',
] as const;

/** Variables that are fixed when the data directory is made. */
export const INSTALL_VARIABLES = ['lower_case_table_names', 'innodb_page_size'] as const;

/** `--loose-name=value` for each of `names` that has a value. Pure. */
export function variableOptions(
  names: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): string[] {
  return names.flatMap((name) => {
    const value = variables[name];
    return value === undefined ? [] : [`--loose-${name.replaceAll('_', '-')}=${value}`];
  });
}

/** Enough to load some 100 MB without reading back from the disk. */
export const DEFAULT_POOL_MB = 128;

/** The arguments of `mariadbd` for one instance, without network. Pure. */
export function serverOptions(paths: InstancePaths, options: ServerOptions): string[] {
  const { durable = 'relaxed', bufferPoolMb = DEFAULT_POOL_MB } = options;
  return [
    `--datadir=${paths.dataDir}`,
    `--socket=${paths.socketPath}`,
    `--tmpdir=${paths.tmpDir}`,
    `--pid-file=${paths.dir}/mariadbd.pid`,
    '--skip-name-resolve',
    '--skip-log-bin',
    '--skip-slave-start',
    '--event-scheduler=OFF',
    '--max-allowed-packet=1G',
    `--secure-file-priv=${options.confined === true ? paths.tmpDir : ''}`,
    // With them the server heeds DATA DIRECTORY, which puts a table's file anywhere and needs no right.
    ...(options.confined === true ? ['--skip-symbolic-links'] : []),
    `--innodb-buffer-pool-size=${bufferPoolMb}M`,
    `--innodb-log-file-size=${options.redoLog === 'small' ? SMALL_REDO_LOG_MB : redoLogMb(bufferPoolMb)}M`,
    '--innodb-buffer-pool-load-at-startup=OFF',
    '--innodb-buffer-pool-dump-at-shutdown=OFF',
    '--key-buffer-size=8M',
    '--aria-pagecache-buffer-size=8M',
    '--loose-performance-schema=OFF',
    // Containers often forbid io_uring; the server would say so in its log and fall back.
    '--innodb-use-native-aio=OFF',
    // MariaDB: 10.6.0 to 10.6.5 could only read ROW_FORMAT=COMPRESSED tables unless told.
    '--loose-innodb-read-only-compressed=OFF',
    ...(durable === 'full' ? ['--innodb-flush-log-at-trx-commit=1'] : RELAXED),
    ...variableOptions(SHARED_VARIABLES, options.variables),
  ];
}

/** Nothing is ever waited for on the disk: a scratch server does not outlive its process. */
const RELAXED = [
  '--innodb-flush-log-at-trx-commit=0',
  '--innodb-doublewrite=OFF',
  '--loose-innodb-flush-method=nosync',
  '--loose-debug-no-sync',
  '--sync-frm=OFF',
];

/** Twice the pool (experiments §8), so that loading does not wait for checkpoints; 32 MiB to 1 GiB. */
export function redoLogMb(bufferPoolMb: number): number {
  return Math.max(SMALL_REDO_LOG_MB, Math.min(2 * bufferPoolMb, 1024));
}

/** Enough for the structure of thousands of tables. */
const SMALL_REDO_LOG_MB = 32;

/** MariaDB: from 10.9 on a running server can be told another size of its redo log. Pure. */
export function canGrowRedoLog(serverVersion: string): boolean {
  const [major = 0, minor = 0] = serverVersion.split('.').map(Number);
  return major > 10 || (major === 10 && minor >= 9);
}
