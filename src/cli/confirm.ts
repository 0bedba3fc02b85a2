import process from 'node:process';
import { createInterface } from 'node:readline/promises';
import { DeployError } from '../errors/deploy-error.ts';
import type { World } from './invoke.ts';

/**
 * Asks before something that destroys or goes back. Without a terminal only `--yes` is a yes: a
 * cut-off input must never be one.
 *
 * @throws DeployError `NOT_CONFIRMED`
 */
export async function confirm(
  world: World,
  question: string,
  flags: { readonly yes?: boolean },
): Promise<void> {
  if (flags.yes) return;
  if (!process.stdin.isTTY) {
    throw new DeployError(
      'NOT_CONFIRMED',
      'this needs a confirmation, and there is no terminal to ask on',
    );
  }
  const lines = createInterface({ input: process.stdin, output: world.streams.stderr });
  try {
    const answer = await lines.question(`${question}\nType yes to go on: `, { signal: world.stop });
    if (answer.trim().toLowerCase() !== 'yes')
      throw new DeployError('NOT_CONFIRMED', 'not confirmed');
  } finally {
    lines.close();
  }
}
