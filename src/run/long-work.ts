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

/**
 * Says in the log every few seconds how far long work is; short work stays silent. Several kinds
 * of work may go on at the same time.
 */
export function noteLongWork(log: Log, now: () => number = () => performance.now()): OnProgress {
  const phases = new Map<Progress['phase'], { begunAt: number; saidAt: number; done: number }>();
  return (progress) => {
    const at = now();
    const known = phases.get(progress.phase);
    // Less than before is other work of the same kind.
    if (known === undefined || progress.done < known.done) {
      phases.set(progress.phase, { begunAt: at, saidAt: at, done: progress.done });
      return;
    }
    known.done = progress.done;
    if (at - known.saidAt < everyMs) return;
    known.saidAt = at;
    log.info(
      { phase: progress.phase, done: progress.done, of: progress.of },
      describeProgress(progress, at - known.begunAt),
    );
  };
}

/** `loading: 120.0 MiB of 590.0 MiB, 20 %, 40.0 MiB/s, about 12 s left`. Pure. */
export function describeProgress({ phase, done, of, what }: Progress, elapsedMs: number): string {
  const isBytes = what === 'bytes';
  const show = (count: number) => (isBytes ? formatBytes(count) : String(count));
  const perSecond = (done / elapsedMs) * 1000;
  const rate = isBytes && elapsedMs > 0 ? `, ${formatBytes(Math.round(perSecond))}/s` : '';
  if (of === 0) return `${verbs[phase]}: ${show(done)}${isBytes ? rate : ` (${what})`}`;
  const share = done / of;
  const left =
    share > 0 && share < 1
      ? `, about ${Math.ceil((elapsedMs / share - elapsedMs) / 1000)} s left`
      : '';
  const unit = isBytes ? '' : ` (${what})`;
  return `${verbs[phase]}: ${show(done)} of ${show(of)}${unit}, ${Math.floor(share * 100)} %${rate}${left}`;
}
