import type { Command } from 'commander';
import { renderEnvHelp } from '../config/env-help.ts';
import type { World } from './invoke.ts';
import { printUsageError } from './usage.ts';

/** Prints the help of `topic`: a command, `env`, or nothing for all. Gives the exit code. */
export function showHelp(program: Command, topic: string | undefined, world: World): number {
  if (topic === 'env') {
    world.streams.stdout.write(renderEnvHelp());
    return 0;
  }
  const named = program.commands.find(
    (each) => each.name() === topic || each.aliases().includes(topic ?? ''),
  );
  if (topic !== undefined && named === undefined) {
    return printUsageError(world, `there is no help on ${topic}`);
  }
  world.streams.stdout.write((named ?? program).helpInformation());
  return 0;
}
