import type { Log } from '../config/log.ts';
import type { Scratch } from '../scratch/server.ts';

/** The scratch server of one run: started when it is first needed, used by all its steps. */
export type SharedScratch = {
  /**
   * Gives the server, with the variables of the real one (`ServerFacts.variables`).
   *
   * @throws DeployError `SCRATCH_FAILED`, `SPACE_SHORT`; `INTERRUPTED` when it has not started
   *   before the time to stop was over
   */
  get(variables: Readonly<Record<string, string>>): Promise<Scratch>;
  /** Ends and removes it, if it was started. */
  stop(): Promise<void>;
};

/**
 * Makes the holder; starts nothing yet. When the process was told to stop and is not at its end
 * after `graceMs`, the server is killed: what works on it then fails, and the run ends in time.
 * Nothing of the database is in it, so that nothing is lost.
 */
export function makeSharedScratch(
  dir: string,
  log: Log,
  { stop, graceMs }: { readonly stop: AbortSignal; readonly graceMs: number },
): SharedScratch {
  let started: Promise<Scratch> | null = null;
  let timer: NodeJS.Timeout | undefined;
  const late = Promise.withResolvers<never>();
  // Nobody may be waiting for the server at that moment.
  late.promise.catch(() => undefined);
  const onStop = () => {
    timer = setTimeout(() => {
      late.reject(stop.reason);
      log.warn('told to stop: what still works on the scratch server is ended with it');
      void started?.then(
        (scratch) => scratch.kill('SIGKILL'),
        () => undefined,
      );
    }, graceMs);
    timer.unref();
  };

  return {
    get(variables) {
      if (started === null) {
        // Loaded only now: a start that finds nothing to do stays light (promise P6).
        started = import('../scratch/server.ts').then(({ startScratch }) =>
          startScratch({ dir, variables, log, redoLog: 'small' }),
        );
        if (stop.aborted) onStop();
        else stop.addEventListener('abort', onStop, { once: true });
      }
      // In this order: a server that has been killed is not given out any more.
      return Promise.race([late.promise, started]);
    },
    async stop() {
      stop.removeEventListener('abort', onStop);
      const scratch = await started?.catch(() => null);
      clearTimeout(timer);
      await scratch?.stop();
    },
  };
}
