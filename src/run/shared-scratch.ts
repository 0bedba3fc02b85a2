import type { Log } from '../config/log.ts';
import type { Scratch } from '../scratch/server.ts';

/** The scratch server of one run: started when it is first needed, used by all its steps. */
export type SharedScratch = {
  /** Gives the server, with the variables of the real one (`ServerFacts.variables`). @throws DeployError `SCRATCH_FAILED`, `SPACE_SHORT` */
  get(variables: Readonly<Record<string, string>>): Promise<Scratch>;
  /** Ends and removes it, if it was started. */
  stop(): Promise<void>;
};

/** Makes the holder; starts nothing yet. */
export function makeSharedScratch(dir: string, log: Log): SharedScratch {
  let started: Promise<Scratch> | null = null;
  return {
    get(variables) {
      // Loaded only now: a start that finds nothing to do stays light (promise P6).
      started ??= import('../scratch/server.ts').then(({ startScratch }) =>
        startScratch({ dir, variables, log, redoLog: 'small' }),
      );
      return started;
    },
    async stop() {
      const scratch = await started?.catch(() => null);
      await scratch?.stop();
    },
  };
}
