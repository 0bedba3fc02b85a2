import type { OnProgress, Progress } from '../backup/progress.ts';
import type { Log } from '../config/log.ts';
import { formatBytes } from './context.ts';

const everyMs = 3000;
const verbs: Readonly<Record<Progress['phase'], string>> = {
  verify: 'verifying',
  dump: 'dumping',
  hash: 'hashing',
  load: 'loading',
  keys: 'building keys',
  compare: 'comparing',
};

/** Says in the log every few seconds how far long work is; short work stays silent. */
export function noteLongWork(log: Log, now: () => number = () => performance.now()): OnProgress {
  let phase: Progress['phase'] | null = null;
  let begunAt = 0;
  let saidAt = 0;
  return (progress) => {
    const at = now();
    if (progress.phase !== phase) {
      phase = progress.phase;
      begunAt = at;
      saidAt = at;
    }
    if (at - saidAt < everyMs) return;
    saidAt = at;
    log.info(
      { phase, done: progress.done, of: progress.of },
      describeProgress(progress, at - begunAt),
    );
  };
}

/** `loading: 120.0 MiB of 590.0 MiB, 20 %, about 12 s left`. Pure. */
export function describeProgress({ phase, done, of, what }: Progress, elapsedMs: number): string {
  const show = (count: number) => (what === 'bytes' ? formatBytes(count) : String(count));
  if (of === 0) return `${verbs[phase]}: ${show(done)} (${what})`;
  const share = done / of;
  const left =
    share > 0 && share < 1
      ? `, about ${Math.ceil((elapsedMs / share - elapsedMs) / 1000)} s left`
      : '';
  const unit = what === 'bytes' ? '' : ` (${what})`;
  return `${verbs[phase]}: ${show(done)} of ${show(of)}${unit}, ${Math.floor(share * 100)} %${left}`;
}
