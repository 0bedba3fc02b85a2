/** What `mariadb-dump` says on stderr. Pure. */

/**
 * True for the first line that is printed after the snapshot is open. `-- Starting transaction…` is
 * printed before the statement is sent, so it is not one (experiments §6).
 */
export function hasBegun(line: string): boolean {
  return /^-- (Setting savepoint|Retrieving table structure)/.test(line);
}

/**
 * The lines that mean a failure, shortened to what names it: program, number, table. Progress
 * (`-- …`) and warnings are none; anything unknown is.
 */
export function errorLines(lines: readonly string[]): string[] {
  return lines
    .filter((line) => line.trim() !== '' && !/^(-- |warning|note)/i.test(line))
    .map((line) => shorten(line));
}

/** A server's text may quote a value; the text of a known number without values is kept. */
function shorten(line: string): string {
  const known = /^mariadb-dump: (?:Got error|Error): ?(\d+)(?:: "([^"]*)")?( when .*)?$/.exec(line);
  if (known === null) return line.replace(/'[^']*'/g, "'…'").slice(0, 200);
  const [, errno, text = '', when = ''] = known;
  return `error ${errno} ${text.replace(/'[^']*\s[^']*'/g, "'…'")}${when}`.trim().slice(0, 200);
}
