/** Pure: version numbers, and what two of them mean for each other. */

/** A number of three parts as text, e.g. `0.10.0`. Compared by number, never as text. */
export type SchemaVersion = string;

const threeNumbers = /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})$/;

/**
 * Gives the three numbers of a version, or null when the text is none: `0.10.0` is one,
 * `0.10`, `v0.10.0`, `0.010.0` and `0.10.0-rc1` are not.
 */
export function parseVersion(text: string): readonly [number, number, number] | null {
  const match = threeNumbers.exec(text);
  return match === null ? null : [Number(match[1]), Number(match[2]), Number(match[3])];
}

/** Orders two versions by number: negative, zero or positive. Both must be versions. */
export function compareVersions(a: SchemaVersion, b: SchemaVersion): number {
  const [left, right] = [parseVersion(a), parseVersion(b)];
  if (left === null || right === null)
    throw new TypeError(`not a version: ${left === null ? a : b}`);
  return left[0] - right[0] || left[1] - right[1] || left[2] - right[2];
}

/** Whether a backend that requires one version can work on a database of another. */
export type Compatibility = {
  readonly compatible: boolean;
  readonly migrationNeeded: boolean;
  /** One of the three sentences of the planning text; `status` and the sidecar publish it as it is. */
  readonly reason: string;
};

/** Compares the required version with that of the database, null for an empty or unknown one. */
export function compatibility(
  required: SchemaVersion,
  actual: SchemaVersion | null,
): Compatibility {
  const order = actual === null ? -1 : compareVersions(actual, required);
  if (order === 0) {
    return {
      compatible: true,
      migrationNeeded: false,
      reason: 'Database version matches required version',
    };
  }
  const reason =
    order < 0
      ? `Database migration required: ${actual ?? 'none'} → ${required}`
      : `Backend too old for database version. Backend requires ${required}, database is ${actual}`;
  return { compatible: false, migrationNeeded: order < 0, reason };
}

/**
 * Gives the versions to walk from one version (null: nothing) up to another, in order, without
 * the first. Empty when `to` does not lie ahead. With 0.3.0, 0.4.0 and 0.5.0 known, the path
 * from 0.3.0 to 0.5.0 is 0.4.0, 0.5.0. It ends in `to` only if `to` is known.
 */
export function pathTo(
  known: readonly SchemaVersion[],
  from: SchemaVersion | null,
  to: SchemaVersion,
): SchemaVersion[] {
  return known
    .filter((version) => from === null || compareVersions(version, from) > 0)
    .filter((version) => compareVersions(version, to) <= 0)
    .sort(compareVersions);
}
