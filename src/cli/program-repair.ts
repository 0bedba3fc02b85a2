/** The commands for people who look and repair: schema, new, resolve. */
import type { Command } from 'commander';
import type { World } from './invoke.ts';
import type { Add } from './program.ts';

/** Adds them to the program. */
export function addRepair(program: Command, world: World, add: Add): void {
  add(
    program,
    'resolve',
    'show what a person must decide about, and do it',
    [0, 1, 10, 11, 12, 13, 14, 15, 16, 20, 21, 22, 23],
    async (options) => (await import('./resolve.ts')).resolveCommand(world, options),
  )
    .option('--continue', 'go on forward with the run from where its journal is')
    .option('--put-back', 'restore the proven backup set of the run')
    .option('--accept', 'take the database as it is, and record what is true')
    .option('--in-doubt <run|done>', 'with --continue: what to do about the statement in doubt')
    .option('--retry [n]', 'try failed migrations again that are not critical')
    .option('--accept-checksum <n>', 'the file of an applied migration was changed on purpose')
    .option('--yes', 'do not ask');
  const schema = program.command('schema').description('the structure of the database');
  add(
    schema,
    'dump',
    'print the structure of the database as text: the same for the same structure',
    [0, 1, 10, 12, 15],
    async (options) => (await import('./schema.ts')).dumpCommand(world, options),
  );
  add(
    schema,
    'diff',
    'compare the database with what its migrations make; 15 when they differ',
    [0, 1, 10, 12, 13, 14, 15],
    async (options) => (await import('./schema.ts')).diffCommand(world, options),
  ).option('--version <version>', 'compare with this version instead of that of the database');
  add(
    program,
    'new <name>',
    'make the up and down file of the next migration',
    [0, 1, 10, 13, 15],
    async (options, [name = '']) => (await import('./new.ts')).newCommand(world, name, options),
  ).option('--version <version>', 'the version it belongs to; the highest folder if left out');
}
