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
  if (!hasTerminal()) {
    throw new DeployError(
      'NOT_CONFIRMED',
      'this needs a confirmation, and there is no terminal to ask on',
    );
  }
  const answer = await ask(world, `${question}\nType yes to go on: `);
  if (answer !== 'yes') throw new DeployError('NOT_CONFIRMED', 'not confirmed');
}

/** Lets a person on a terminal choose one of `words`; null for anything else. */
export async function choose<Word extends string>(
  world: World,
  question: string,
  words: readonly Word[],
): Promise<Word | null> {
  const answer = await ask(world, `${question}Type ${words.join(', ')} or nothing: `);
  return words.find((word) => word === answer) ?? null;
}

/** Whether there is somebody who could answer. */
export function hasTerminal(): boolean {
  return process.stdin.isTTY === true;
}

async function ask(world: World, question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: world.streams.stderr });
  const keyboard = new AbortController();
  // While it asks, the terminal hands Ctrl-C to it as a key: no signal comes.
  lines.once('SIGINT', () =>
    keyboard.abort(new DeployError('INTERRUPTED', 'the run was told to stop (Ctrl-C)')),
  );
  const signal = AbortSignal.any([world.stop, keyboard.signal]);
  // After Ctrl-D there is no answer any more: that is a no.
  const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  try {
    const answer = await Promise.race([lines.question(question, { signal }), ended]);
    return answer.trim().toLowerCase();
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    lines.close();
  }
}
