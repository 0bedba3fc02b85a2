/** What the tests of src/database share. Not a test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../../src/config/log.ts';

/** A log that keeps its lines. */
export function collectLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const write = (...args: unknown[]) => {
    lines.push(args.map((arg) => (typeof arg === 'string' ? arg : JSON.stringify(arg))).join(' '));
  };
  const log = { trace: write, debug: write, info: write, warn: write, error: write } as Log;
  return { log, lines };
}

/** Polls until the check gives something true, with a limit. */
export async function until<T>(what: string, check: () => Promise<T> | T, limitMs = 20_000) {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (performance.now() > deadline) throw new Error(`not within ${limitMs} ms: ${what}`);
    await sleep(20);
  }
}

export type Child = {
  readonly process: ChildProcess;
  /** The next line that the program writes, parsed. */
  next(): Promise<Record<string, unknown>>;
  tell(line: string): void;
};

/** Starts a TypeScript program of this folder; it is killed when the test ends. */
export function startChild(
  t: { after(fn: () => void): void },
  file: string,
  args: readonly string[],
): Child {
  const program = new URL(file, import.meta.url).pathname;
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => {
    child.kill('SIGKILL');
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    process: child,
    async next() {
      const line = await lines.next();
      if (line.done === true) throw new Error(`${file} ended`);
      return JSON.parse(line.value);
    },
    tell(line) {
      child.stdin.write(`${line}\n`);
    },
  };
}
