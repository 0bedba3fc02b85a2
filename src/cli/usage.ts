import { DeployError } from '../errors/deploy-error.ts';
import { exitCodeOf, renderFailure } from '../errors/render.ts';
import type { World } from './invoke.ts';

/** Prints what is wrong with the command line, and gives exit code 2. */
export function printUsageError({ streams }: World, problem: string): number {
  const error = new DeployError('USAGE', problem);
  const exitCode = exitCodeOf(error);
  streams.stderr.write(renderFailure({ error, exitCode, database: 'not touched', secrets: [] }));
  return exitCode;
}
