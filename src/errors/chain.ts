/**
 * Walks from an error to its causes. Pure. Nothing here knows the database driver, so callers may
 * hand in `explain`, which turns an error of the server into words without row data.
 */

import { DeployError } from './deploy-error.ts';

/** Gives words for an error that it knows, or null. */
export type Explain = (error: unknown) => string | null;

/** Gives the error and its causes, outermost first. A circle of causes ends the chain. */
export function causeChain(error: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  let current = error;
  while (current !== undefined && current !== null && !chain.includes(current)) {
    chain.push(current);
    current = causeOf(current);
  }
  return chain;
}

/** An error of several attempts (host names with several addresses) stands for the first of them. */
function causeOf(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined;
  if (error.cause !== undefined) return error.cause;
  return error instanceof AggregateError && error.message === '' ? error.errors[0] : undefined;
}

/**
 * Gives what the innermost cause says, or null when there is no cause, only the error itself.
 */
export function describeCause(error: unknown, explain?: Explain): string | null {
  const causes = causeChain(error).slice(1);
  for (const cause of causes.toReversed()) {
    const words = describeOne(cause, explain);
    if (words !== '') return words;
  }
  return null;
}

/** Gives what all causes say, outermost first, joined by colons; null when there is no cause. */
export function describeCauses(error: unknown, explain?: Explain): string | null {
  const words = causeChain(error)
    .slice(1)
    .map((cause) => describeOne(cause, explain))
    .filter((text, index, all) => text !== '' && text !== all[index + 1]);
  return words.length === 0 ? null : words.join(': ');
}

/** Gives what one error says by itself, on one line. */
export function describeOne(error: unknown, explain?: Explain): string {
  if (error instanceof DeployError) return error.message;
  const words = explain?.(error) ?? (isFromServer(error) ? numberOf(error) : plainWords(error));
  return words.replaceAll(/\s*\n\s*/g, ' ').trim();
}

function plainWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  return error.message === '' ? (code ?? '') : error.message;
}

/** The message of a server error may hold values of rows: without `explain` it is not shown. */
function isFromServer(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'sqlMessage' in error;
}

function numberOf(error: unknown): string {
  const { errno, code } = error as { errno?: number; code?: string };
  return `the server reported ${[errno, code].filter((part) => part !== undefined).join(' ')}`;
}
