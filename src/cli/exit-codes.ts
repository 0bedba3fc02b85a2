/** The exit codes, once: for `--help`, the README and the tests. Public; never reused (DESIGN §7). */
export const exitCodes: ReadonlyMap<number, string> = new Map([
  [0, 'done, or nothing to do'],
  [1, 'bug in this program'],
  [2, 'wrong command line'],
  [10, 'configuration'],
  [11, 'the deploy lock is held by another run'],
  [12, 'the server cannot be used'],
  [13, 'the plan is refused, or not confirmed'],
  [14, 'the backup was not taken or not proven'],
  [15, 'contents are not valid'],
  [16, 'interrupted before any change'],
  [20, 'failed after changes; put back and verified'],
  [21, 'failed; left as it is (ON_FAILURE=stop)'],
  [22, 'failed, and could not be put back: a person must look'],
  [23, 'cut off after changes began: the next `up` finishes or puts back'],
  [30, 'status, plan, --dry-run: something is to be done'],
  [31, 'status: the database is ahead of this image'],
]);

/** The lines of `--help` for the codes of one command; each may be called wrongly. */
export function renderExitCodes(codes: readonly number[]): string {
  const all = [...new Set([...codes, 2])].sort((a, b) => a - b);
  return all.map((code) => `  ${String(code).padStart(2)}  ${exitCodes.get(code)}`).join('\n');
}
