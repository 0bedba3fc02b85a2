import type { World } from './invoke.ts';

/** The start of the container, for which nothing has to be parsed: it must cost next to nothing. */
const plainStarts = ['up', 'up --json'];

/** Runs the command of `args`, `up` without any, and gives the exit code. */
export async function runCli(args: readonly string[], world: World): Promise<number> {
  const words = args.length === 0 ? ['up'] : args;
  if (plainStarts.includes(words.join(' '))) {
    const { upCommand } = await import('./up.ts');
    return upCommand(world, words.includes('--json') ? { json: true } : {});
  }
  const { runProgram } = await import('./program.ts');
  return runProgram(words, world);
}
