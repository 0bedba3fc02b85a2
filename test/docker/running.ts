/** A program that goes on by itself: what it has said so far, and how it ends. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import process from 'node:process';
import type { TestContext } from 'node:test';
import type { Ended } from './stack.ts';

export type Running = {
  readonly ended: Promise<Ended>;
  /** All of stdout and stderr so far. */
  said(): string;
  /** Waits until it has said this; fails when it ends without, or after 60 s. */
  until(pattern: RegExp): Promise<void>;
  /** Sends the signal to the program alone, as a CI system does with a job that is cancelled. */
  signal(name: NodeJS.Signals): void;
  /** Writes to its stdin. */
  type(text: string): void;
};

/** Starts a program without a terminal. It is ended with the test at the latest. */
export function startProgram(
  t: TestContext,
  [command = '', ...args]: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Running {
  const child = spawn(command, args, { ...options, detached: true });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  let isOver = false;
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      isOver = true;
      resolve({ code: code ?? -1, ...output });
    });
  });
  const said = () => output.stdout + output.stderr;
  const signal: Running['signal'] = (name) => void child.kill(name);
  // Its children as well: it leads a group of its own.
  t.after(() => {
    if (!isOver && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  });
  return {
    ...{ ended, said, signal },
    type: (text) => void child.stdin.write(text),
    until: (pattern) =>
      until(`the output has ${pattern}`, () => {
        if (pattern.test(said())) return true;
        assert(!isOver, `it ended without ${pattern}:\n${said()}`);
        return false;
      }),
  };
}

/** Waits until `isSo` is true; looks ten times a second, and fails after a minute. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  limitMs = 60_000,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await isSo())) {
    assert(performance.now() < end, `not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
