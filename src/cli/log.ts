import { existsSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import type { Log } from '../config/log.ts';
import { serverText } from '../database/server-errors.ts';
import { causeChain, describeCauses, describeOne } from '../errors/chain.ts';
import { codeOf } from '../errors/deploy-error.ts';
import { redact } from '../errors/redact.ts';
import { formatLine, type Line } from './log-line.ts';

/** Where the messages go. */
export type LogStreams = {
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
  /** `deployment_<stamp>.log` in `dir`, besides stderr; gets debug messages whatever LOG_LEVEL says. */
  readonly file?: {
    readonly dir: string;
    readonly stamp: string;
    /**
     * Whether the run is worth a file; asked with every message until it says yes. Left out: from
     * the first message of level info on. Earlier messages are kept and written first.
     */
    readonly when?: () => boolean;
  };
};

type Settings = Pick<Config, 'logLevel' | 'logFormat' | 'secrets'>;

/** Messages that are kept for a file that is not begun yet. */
const keptLines = 1000;

/** What a run says; the later, the more urgent. */
const levels = ['trace', 'debug', 'info', 'warn', 'error'] as const;

/**
 * Gives the log of this process: readable lines on a terminal, JSON lines otherwise, on stderr
 * only. Every line is redacted. Errors are logged as code and words, without stacks and without
 * the server's values of rows. Neither a reader that has gone away (EPIPE) nor a log file that
 * cannot be written stops a run.
 */
export function makeLog(settings: Settings, { stderr, file }: LogStreams): Log {
  stderr.on('error', () => {});
  const readable =
    settings.logFormat === 'text' || (settings.logFormat === 'auto' && stderr.isTTY === true);
  const least = settings.logLevel === 'silent' ? levels.length : levelOf(settings.logLevel);
  const show = (line: Line) => {
    stderr.write(readable ? formatLine(line, 'short') : `${JSON.stringify(line)}\n`);
  };
  const keep = file === undefined ? () => {} : makeFile(file, show);

  const write = (text: string) => {
    const line = redactLine(JSON.parse(text) as Line, settings.secrets);
    if (levelOf(line.level) >= least) show(line);
    keep(line);
  };
  const level = file === undefined || least < levelOf('debug') ? settings.logLevel : 'debug';
  return withFirstMessage(() => makePino(level, write));
}

/** Makes the log when there is something to say: most starts find nothing to do, and say nothing. */
function withFirstMessage(make: () => Log): Log {
  let made: Log | null = null;
  const say = (level: (typeof levels)[number]) =>
    ((...message: Parameters<Log['info']>) => {
      made ??= make();
      made[level](...message);
    }) as Log['info'];
  return Object.fromEntries(levels.map((level) => [level, say(level)])) as Log;
}

function makePino(level: string, write: (text: string) => void): Log {
  const { pino } = createRequire(import.meta.url)('pino') as typeof import('pino');
  return pino(
    {
      ...{ level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError, error: describeError },
    },
    { write },
  );
}

/** Gives what writes a line into the log file, and begins the file when it is time. */
function makeFile(
  { dir, stamp, when }: NonNullable<LogStreams['file']>,
  warn: (line: Line) => void,
): (line: Line) => void {
  const path = join(dir, `deployment_${stamp}.log`);
  let kept: string[] = [];
  let file: number | null = null;
  let broken = false;

  return (line) => {
    if (broken) return;
    kept.push(formatLine(line, 'long'));
    const begins = when?.() ?? levelOf(line.level) >= levelOf('info');
    if (file === null && !begins) {
      kept = kept.slice(-keptLines);
      return;
    }
    try {
      if (file === null) {
        if (!existsSync(dir)) mkdirSync(dir);
        file = openSync(path, 'a', 0o600);
      }
      // At once and not buffered: after a kill -9 the last line is what a person looks for.
      writeSync(file, kept.join(''));
      kept = [];
    } catch (error) {
      broken = true;
      const msg = `the log file ${path} cannot be written`;
      warn({ level: 'warn', time: line.time, msg, err: describeError(error) });
    }
  };
}

function levelOf(level: string): number {
  return (levels as readonly string[]).indexOf(level);
}

/** Redacts the texts of a line, whatever it holds; not the JSON, which a secret like `":"` breaks. */
function redactLine({ level, time, ...fields }: Line, secrets: readonly string[]): Line {
  return { level, time, ...(redactTexts(fields, secrets) as Record<string, unknown>) };
}

/** The same value with its texts redacted; names of fields are the program's own. */
function redactTexts(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === 'string') return redact(value, secrets);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((each) => redactTexts(each, secrets));
  const entries = Object.entries(value).map(([name, each]) => [name, redactTexts(each, secrets)]);
  return Object.fromEntries(entries);
}

function describeError(error: unknown): { code: string; message: string } {
  const words = [describeOne(error, serverText), describeCauses(error, serverText)];
  const code = causeChain(error)
    .map(codeOf)
    .find((found) => found !== 'INTERNAL');
  return { code: code ?? 'INTERNAL', message: words.filter(Boolean).join(': ') };
}
