import type { ErrorCode } from './catalogue.ts';

/** A place that a person can open: a file with a line, a table, a backup set, a host. */
export type Where = string;

export type DeployErrorOptions = {
  /** The error that caused this one. Linked, never pasted into the message. */
  readonly cause?: unknown;
  /** A place someone can open, e.g. `migrations/0.5.0/0004_x.up.sql:7`. */
  readonly where?: Where;
  /** What to do next, when the thrower knows better than the catalogue. */
  readonly next?: readonly string[];
  /** Further facts for JSON and tests; never a secret, never row data. */
  readonly facts?: Readonly<Record<string, unknown>>;
};

/**
 * An expected failure: it has a code of the catalogue, and its message says only what its own
 * layer was doing. Anything else that reaches `main.ts` is a bug (INTERNAL).
 */
export class DeployError extends Error {
  readonly code: ErrorCode;
  readonly where: Where | undefined;
  readonly next: readonly string[] | undefined;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: DeployErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'DeployError';
    this.code = code;
    this.where = options.where;
    this.next = options.next;
    this.facts = options.facts ?? {};
  }
}

/** True for an expected failure, optionally of one given code. */
export function isDeployError(error: unknown, code?: ErrorCode): error is DeployError {
  return error instanceof DeployError && (code === undefined || error.code === code);
}

/** Gives the code of an error: its own, or INTERNAL. */
export function codeOf(error: unknown): ErrorCode {
  return error instanceof DeployError ? error.code : 'INTERNAL';
}
