import type { World } from './invoke.ts';

/** Prints what is wrong with the command line, and gives exit code 2. */
export function usageError({ streams }: World, problem: string): number {
  streams.stderr.write(`deploy: ${problem}\n  next      deploy help\n`);
  return 2;
}
