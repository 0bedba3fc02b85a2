import { DeployError } from '../errors/deploy-error.ts';

/**
 * One thing that is wrong with master data. `where` and `message` are what a person reads; values
 * of declared master data may be shown.
 */
export type Problem = {
  /** e.g. `skills.json data[12] (Schwimmen, midgard)`. */
  readonly where: string;
  readonly message: string;
  readonly file: string;
  /** Place in the file's list, from 0; null when the problem is not that of one row. */
  readonly index: number | null;
  /** Natural key of the row, as text. */
  readonly key: string | null;
};

// A file of the wrong shape has one problem per row: nobody reads more than the first ones.
const MOST = 200;

/** Collects the problems of a whole set, so that its author corrects them in one go. */
export type Problems = {
  readonly list: readonly Problem[];
  /** Also those that are no longer listed. */
  readonly count: number;
  add(file: string, index: number | null, key: string | null, message: string): void;
  /** Throws MASTERDATA_INVALID when there are any. */
  throwIfAny(): void;
};

/** Makes an empty collection. `dir` is the folder that the failure names. */
export function makeProblems(dir: string): Problems {
  const list: Problem[] = [];
  let count = 0;
  return {
    list,
    get count() {
      return count;
    },
    add(file, index, key, message) {
      count += 1;
      if (list.length < MOST)
        list.push({ where: place(file, index, key), message, file, index, key });
    },
    throwIfAny() {
      if (count > 0) throw problemsError(dir, list, count);
    },
  };
}

/** The failure of a file that cannot be used at all. */
export function invalid(where: string, message: string, cause?: unknown): DeployError {
  return new DeployError('MASTERDATA_INVALID', message, {
    where,
    ...(cause === undefined ? {} : { cause }),
  });
}

function problemsError(dir: string, list: readonly Problem[], count: number): DeployError {
  const [first] = list;
  const more = count - list.length;
  const rest = more > 0 ? [{ where: dir, message: `and ${more} more problems` }] : [];
  return new DeployError(
    'MASTERDATA_INVALID',
    count === 1 ? 'the master data has a problem' : `the master data has ${count} problems`,
    { where: first!.where, facts: { problems: [...list, ...rest], count } },
  );
}

function place(file: string, index: number | null, key: string | null): string {
  const row = index === null ? '' : ` data[${index}]`;
  return `${file}${row}${key === null ? '' : ` (${key})`}`;
}
