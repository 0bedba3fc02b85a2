/** Pure: what the many spellings of `applied_at` mean (reference/bamort.md §0.3, §8.8). */

/** How a table stores its times: as DATETIME or TIMESTAMP, or as a number of Unix seconds. */
export type AppliedAtType = 'timestamp' | 'epoch';

/** 1971; a smaller number is a mark that somebody set by hand, e.g. 1 in Bamort's own dump. */
const earliestSeconds = 31_536_000;
/** The year 2200; a greater number is no count of seconds. */
const latestSeconds = 7_258_118_400;

/**
 * Gives the moment as ISO text, or null when the value says none.
 *
 * A number may also be `YYYYMMDDhhmmss`: a backend that turned a TIMESTAMP column into BIGINT
 * left such numbers behind. Times without zone are taken as UTC: the session that reads them is.
 */
export function readAppliedAt(value: unknown, type: AppliedAtType): string | null {
  if (value === null || value === undefined) return null;
  const text = String(value);
  if (type === 'timestamp') return toIso(text.replace(' ', 'T'));
  const packed = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text);
  if (packed !== null) {
    const [, year, month, day, hour, minute, second] = packed;
    return toIso(`${year}-${month}-${day}T${hour}:${minute}:${second}`);
  }
  const seconds = Number(text);
  if (!(seconds >= earliestSeconds && seconds <= latestSeconds)) return null;
  return new Date(Math.round(seconds * 1000)).toISOString();
}

function toIso(local: string): string | null {
  const moment = new Date(`${local}Z`);
  // Zero dates and days like 31 February are no moments; Date moves the latter to March.
  if (Number.isNaN(moment.getTime())) return null;
  const iso = moment.toISOString();
  return iso.startsWith(local.slice(0, 10)) ? iso : null;
}
