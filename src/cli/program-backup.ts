import type { Command } from 'commander';
import type { World } from './invoke.ts';
import type { Add } from './program.ts';

/** The commands of `deploy backup`. */
export function addBackup(program: Command, world: World, add: Add): void {
  const backup = program.command('backup').description('take, list, verify and prune backup sets');
  add(
    backup,
    'create',
    'take a backup and prove it',
    [0, 1, 10, 11, 12, 13, 14, 16],
    async (options) => (await import('./backup.ts')).createCommand(world, options),
  ).option('--format <sql|json>', 'rows as SQL, or as lines of JSON for reading and comparing');
  add(
    backup,
    'list',
    'list the sets, newest first, and why each is kept',
    [0, 1, 10],
    async (options) => (await import('./backup.ts')).listCommand(world, options),
  );
  add(
    backup,
    'verify',
    'read sets in full and compare them with their manifests; changes nothing',
    [0, 1, 10, 14, 15, 16],
    async (options, [name]) =>
      (await import('./backup-verify.ts')).verifyCommand(world, name, options),
  )
    .argument('[name]', 'the set, or a path to it')
    .option('--all', 'all sets')
    .option('--restore', 'restore each in a scratch server and compare, as when it was taken');
  add(
    backup,
    'prune',
    'remove sets that are too old by BACKUP_RETENTION_DAYS and BACKUP_KEEP_LAST',
    [0, 1, 10, 11, 12, 13, 14, 15],
    async (options) => (await import('./backup-prune.ts')).pruneCommand(world, options),
  )
    .option('--dry-run', 'say what would go and why the others stay')
    .option('--yes', 'do not ask');
}
