/**
 * Places where a test can make a run die, throw or stand still for some seconds:
 * `DEPLOY_FAIL_AT=name=kill`, `=throw`, `=pause` or `=stop` (SIGSTOP to itself: it stands still until
 * the test sends SIGCONT); several are separated by commas. `name#3=kill` means the third time that
 * the point is passed. Unset (always, outside tests) a point costs one comparison.
 */
type Action = 'kill' | 'throw' | 'pause' | 'stop';

const pauseMs = 4000;

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
  if (rule.action === 'pause') await new Promise((resolve) => setTimeout(resolve, pauseMs));
}
