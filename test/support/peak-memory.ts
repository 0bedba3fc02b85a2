/** The program as `npm run deploy` starts it, with its highest memory. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { notMeasured } from './deploy.ts';

const root = path.resolve(import.meta.dirname, '../..');

export type PeakMemory = {
  /** Highest resident memory, as the kernel counts it; children are not in it. */
  readonly mb: number;
};

/**
 * Runs `deploy …args` to its end with the flags that package.json gives it.
 *
 * @throws Error when it does not exit with 0
 */
export async function runMeasured(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<PeakMemory> {
  const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  const PATH = `${path.dirname(process.execPath)}:${process.env['PATH']}`;
  // npm adds the arguments in the same way. The script ends in exec: the child is the program.
  const child = spawn('sh', ['-c', `${scripts['deploy']} "$@"`, 'sh', ...args], {
    ...{ cwd: root, env: { PATH, ...env, ...notMeasured }, stdio: ['ignore', 'ignore', 'pipe'] },
  });
  let stderr = '';
  child.stderr!.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  let mb = 0;
  const look = setInterval(() => {
    mb = Math.max(mb, peakMb(child.pid!));
  }, 50);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(look);
  if (code !== 0) throw new Error(`deploy ${args.join(' ')} ended with ${code}: ${stderr}`);
  return { mb: Math.round(mb) };
}

/** Of the process so far: what was missed between two looks is in the next one. */
function peakMb(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
