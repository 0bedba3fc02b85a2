/**
 * Places where a test can make a run die, throw or stand still: `DEPLOY_FAIL_AT=name=kill`, `=throw`,
 * `=pause` (it says so on stderr and waits for SIGUSR2) or `=stop` (SIGSTOP to itself: it stands still
 * until the test sends SIGCONT); several are separated by commas. `name#3=kill` means the third time that
 * the point is passed. Unset (always, outside tests) a point costs one comparison.
 */
type Action = 'kill' | 'throw' | 'pause' | 'stop';

/** When the test is dead: it would have ended the pause. */
const pauseMs = 120_000;

const rules = new Map<string, { action: Action; countdown: number }>();
for (const part of (process.env['DEPLOY_FAIL_AT'] ?? '').split(',').filter(Boolean)) {
  const [place = '', action = 'kill'] = part.split('=');
  const [name = '', nth = '1'] = place.split('#');
  rules.set(name, { action: action as Action, countdown: Number(nth) });
}

/**
 * Announces that the program passes the place `name`, e.g. `migrate.statement.after`.
 * Does nothing unless a test asked for a fault here.
 */
export async function failPoint(name: string): Promise<void> {
  if (rules.size === 0) return;
  const rule = rules.get(name);
  if (rule === undefined || --rule.countdown !== 0) return;
  if (rule.action === 'kill') process.kill(process.pid, 'SIGKILL');
  if (rule.action === 'stop') process.kill(process.pid, 'SIGSTOP');
  if (rule.action === 'throw') throw new Error(`fail point ${name}`);
  // The event loop goes on, and with it the heartbeat and the signals.
  if (rule.action === 'pause') await pauseAt(name);
}

function pauseAt(name: string): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, pauseMs);
    process.once('SIGUSR2', () => {
      clearTimeout(timer);
      resolve();
    });
    // Only now: the answer to it may come at once.
    process.stderr.write(`paused at ${name}\n`);
  });
}
