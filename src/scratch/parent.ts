/**
 * What must happen when this process ends in a way that still lets it act: normal end, exception,
 * SIGTERM, SIGINT, SIGHUP. For `kill -9` there is the next start's sweep.
 */
const cleanups = new Set<() => void>();
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs `cleanup` (synchronous) when the process ends, unless the returned function is called before.
 *
 * A signal that somebody else listens to is left to them: they end the process in their own time,
 * and the clean-up comes with that. Otherwise the process dies of the signal, as it would have.
 */
export function atProcessEnd(cleanup: () => void): () => void {
  if (cleanups.size === 0) listen();
  cleanups.add(cleanup);
  return () => {
    if (cleanups.delete(cleanup) && cleanups.size === 0) stopListening();
  };
}

function listen(): void {
  process.on('exit', runAll);
  for (const signal of SIGNALS) process.on(signal, onSignal);
}

function stopListening(): void {
  process.off('exit', runAll);
  for (const signal of SIGNALS) process.off(signal, onSignal);
}

function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  runAll();
  stopListening();
  process.kill(process.pid, signal);
}

function runAll(): void {
  for (const cleanup of [...cleanups]) {
    try {
      cleanup();
    } catch {
      // The process is ending: the next start's sweep removes what could not be removed now.
    }
  }
}
