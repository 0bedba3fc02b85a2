/** One line of the log, as pino writes it. */
export type Line = {
  readonly level: string;
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly msg?: string;
  readonly [field: string]: unknown;
};

/**
 * Gives a line for people: time, level unless it is info, message, fields. `short` is for a
 * terminal (time of day); `long` is for a file (date, every level). Pure.
 */
export function formatLine(line: Line, form: 'short' | 'long'): string {
  const { level, time, msg, err, ...fields } = line;
  const when = form === 'long' ? time : time.slice(11, 19);
  const label = form === 'long' ? level.padEnd(5) : level === 'info' ? '' : `${level}:`;
  const said = [msg, words(err)].filter(Boolean).join(': ');
  const details = Object.entries(fields).map(([name, value]) => `${name}=${shown(value)}`);
  const text = [when, label, said, details.length === 0 ? '' : `(${details.join(', ')})`];
  return `${text.filter((part) => part !== '').join(' ')}\n`;
}

function words(error: unknown): string {
  return (error as { message?: string } | undefined)?.message ?? '';
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
