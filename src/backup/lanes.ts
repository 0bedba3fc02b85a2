import { availableParallelism } from 'node:os';

/** Up to this size one connection is done before others would have been opened. */
const SMALL_BYTES = 16 * 1024 * 1024;
const MOST_LANES = 4;

/** How many connections read or load so many bytes at the same time: 1 to 4, not more than cores. */
export function lanesFor(dataBytes: number): number {
  if (dataBytes <= SMALL_BYTES) return 1;
  return Math.min(MOST_LANES, Math.max(2, availableParallelism()));
}

/**
 * Hands every item of `queue` to the next free worker: the first one, or the one that `pick` names by
 * its index in what is left, knowing what the others do. After the first failure nothing
 * more is handed out, and it is thrown when all workers have come to their end.
 */
export async function shareOut<W, T>(
  workers: readonly W[],
  queue: readonly T[],
  work: (worker: W, item: T) => Promise<void>,
  pick: (left: readonly T[], running: readonly T[]) => number = () => 0,
): Promise<void> {
  const left = [...queue];
  const running = new Set<T>();
  const run = async (worker: W) => {
    while (left.length > 0) {
      const next = left.splice(pick(left, [...running]), 1)[0]!;
      running.add(next);
      await work(worker, next);
      running.delete(next);
    }
  };
  await allOrStop(workers.map(run), () => left.splice(0));
}

/**
 * Waits until all of `works` are over. At the first failure calls `stop`, which makes the others end;
 * it is the one that is thrown, because theirs only follow from it.
 */
export async function allOrStop<T extends readonly unknown[]>(
  works: { readonly [K in keyof T]: Promise<T[K]> },
  stop: () => void,
): Promise<T> {
  let first: { readonly error: unknown } | null = null;
  for (const work of works as readonly Promise<unknown>[]) {
    work.catch((error: unknown) => {
      if (first !== null) return;
      first = { error };
      stop();
    });
  }
  await Promise.allSettled(works);
  if (first !== null) throw (first as { error: unknown }).error;
  return (await Promise.all(works)) as unknown as T;
}
