/**
 * The text and the JSON that end a failed command. Pure: the runner knows the state of the
 * database and the exit code, the catalogue what to do next.
 */

import { catalogue, type ErrorCode } from './catalogue.ts';
import { causeChain, describeCauses, describeOne, type Explain } from './chain.ts';
import { codeOf, DeployError } from './deploy-error.ts';
import { redact } from './redact.ts';

/** What a failure text is made of. */
export type Failure = {
  /** What was thrown. Anything but a DeployError is shown as a bug, with its stack. */
  readonly error: unknown;
  /** A sentence about the state of the database, without full stop, e.g. `not touched`. */
  readonly database: string;
  /** What the process will return: for a failure after changes the outcome decides, not the code. */
  readonly exitCode: number;
  /** The report of the run, if one was written. */
  readonly reportPath?: string | null;
  readonly secrets: readonly string[];
  /** The release to bring back: takes the place of OLD in `next`. Null when there is none: nobody is told to. */
  readonly formerRelease?: string | null;
  /** Turns errors of the server into words without row data (`serverText`). */
  readonly explain?: Explain;
};

/** The parts of a failure, before they become text or JSON. */
type Parts = {
  readonly code: ErrorCode;
  readonly message: string;
  readonly what: readonly string[];
  readonly where: string;
  readonly next: readonly string[];
};

/** Gives the exit code of an error when nothing was changed: that of the catalogue, or 1 for a bug. */
export function exitCodeOf(error: unknown): number {
  return catalogue[codeOf(error)].exitCode;
}

/**
 * Gives the failure text: what happened, what it was, where, the state of the database, what to
 * do next, and where to read more. Ends with a newline. Of a bug the stack follows, without
 * messages: they may hold row data.
 *
 * `facts.problems` of the error (sentences, or objects of `where` and `message`) becomes the lines
 * of `what`; so do further lines of its message.
 */
export function renderFailure(failure: Failure): string {
  const { code, message, what, where, next } = partsOf(failure);
  const report = failure.reportPath ? ` · report ${failure.reportPath}` : '';
  const anchor = `docs/errors.md#${code.toLowerCase()}`;
  const lines = [
    `deploy: ${message}`,
    ...field('what', what),
    ...field('where', [where]),
    ...field('database', [failure.database]),
    ...field('next', next),
    ...field('more', [`${anchor}${report}   (${code}, exit ${failure.exitCode})`]),
    ...(code === 'INTERNAL' ? ['', ...stackOf(failure.error)] : []),
  ];
  return redact(`${lines.join('\n')}\n`, failure.secrets);
}

/** Gives the same facts as one line of JSON, for `--json`. New fields may appear. */
export function failureJson(failure: Failure): string {
  const { code, message, what, where, next } = partsOf(failure);
  const facts = {
    code,
    exit_code: failure.exitCode,
    message,
    what: what.join('\n'),
    where,
    database: failure.database,
    next,
    report: failure.reportPath ?? null,
  };
  const clean = (value: unknown): unknown => {
    if (typeof value === 'string') return redact(value, failure.secrets);
    return Array.isArray(value) ? value.map(clean) : value;
  };
  return JSON.stringify(facts, (key, value) => (key === 'code' ? value : clean(value)));
}

function partsOf(failure: Failure): Parts {
  const parts = explainedParts(failure);
  const { formerRelease: release } = failure;
  if (release === undefined) return parts;
  const next = parts.next.filter((line) => release !== null || !line.includes('RELEASE=OLD'));
  return { ...parts, next: next.map((line) => line.replace('RELEASE=OLD', `RELEASE=${release}`)) };
}

function explainedParts({ error, explain }: Failure): Parts {
  const code = codeOf(error);
  const entry = catalogue[code];
  const chain = causeChain(error).filter((link) => link instanceof DeployError);
  const where = chain.find((link) => link.where !== undefined)?.where ?? entry.where;
  if (!(error instanceof DeployError)) {
    const what = [describeOne(error, explain), describeCauses(error, explain)];
    return {
      code,
      message: 'unexpected error in this program',
      what: [what.filter((text) => text !== null && text !== '').join(': ') || entry.meaning],
      where,
      next: entry.next,
    };
  }
  return {
    code,
    message: error.message.split('\n', 1)[0] ?? '',
    what: whatOf(error, explain) ?? [entry.meaning],
    where,
    next: error.next ?? entry.next,
  };
}

/** What a reader needs most: the list of problems if there is one, and what the causes say. */
function whatOf(error: DeployError, explain: Explain | undefined): readonly string[] | null {
  const [, ...moreLines] = error.message.split('\n');
  const problems = error.facts['problems'];
  const listed = Array.isArray(problems) ? problems.map(problemText) : moreLines;
  const caused = describeCauses(error, explain);
  const all = caused === null ? listed : [...listed, caused];
  return all.length === 0 ? null : all;
}

/** A problem is a sentence, or a sentence with the place that it is about. */
function problemText(problem: unknown): string {
  if (typeof problem !== 'object' || problem === null) return String(problem);
  const { where, message } = problem as { where?: string; message?: string };
  return [where, message].filter((part) => part !== undefined).join(': ');
}

/** `  what      first line`, and further lines below the first. */
function field(name: string, values: readonly string[]): string[] {
  return values
    .flatMap((value) => value.trimEnd().split('\n'))
    .map((line, index) => `  ${(index === 0 ? name : '').padEnd(10)}${line}`.trimEnd());
}

/** The places of the error and of its causes; the lines with the messages are left out. */
function stackOf(error: unknown): string[] {
  return causeChain(error).flatMap((link, index) => {
    if (!(link instanceof Error)) return [];
    const places = (link.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
    return index === 0 ? [link.name, ...places] : [`caused by ${link.name}`, ...places];
  });
}
