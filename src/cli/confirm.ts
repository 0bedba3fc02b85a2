import process from 'node:process';
import { createInterface } from 'node:readline/promises';
import { DeployError } from '../errors/deploy-error.ts';
import type { World } from './invoke.ts';

/**
 * Asks before something that destroys or goes back. Without a terminal only `--yes` is a yes: a
 * cut-off input must never be one.
 *
 * @throws DeployError `NOT_CONFIRMED`; `INTERRUPTED` on Ctrl-C and when told to stop
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
    const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
    const asked = lines.question(`${question}\nType yes to go on: `, { signal: world.stop });
    // After Ctrl-D there is no answer any more: that is a no.
    const answer = await Promise.race([asked, ended]);
    if (answer.trim().toLowerCase() !== 'yes')
      throw new DeployError('NOT_CONFIRMED', 'not confirmed');
  } catch (error) {
    // While it asks, the terminal hands Ctrl-C to it as a key: no signal comes.
    if ((error as Error).name !== 'AbortError') throw error;
    throw world.stop.aborted
      ? world.stop.reason
      : new DeployError('INTERRUPTED', 'the run was told to stop (Ctrl-C)', { cause: error });
  } finally {
    lines.close();
  }
}
