/**
 * Sends scripts through the real `mariadb` client and through our splitter, and compares the
 * statements byte for byte. What the client sent is read from the server's general log.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DeployError } from '../../src/errors/deploy-error.ts';
import { splitStatements } from '../../src/statements/split.ts';
import { quotingAfter } from '../../src/statements/sql-mode.ts';
import { type Quoting, readToken } from '../../src/statements/tokens.ts';
import type { GeneratedScript } from './script-generator.ts';
import { type Cleanup, startTestServer, type TestServer } from './server.ts';

export type Outcome =
  | { readonly kind: 'same'; readonly statements: number }
  /** Our splitter refuses the script: whatever the client does with it never happens. */
  | { readonly kind: 'refused'; readonly message: string }
  | {
      readonly kind: 'different';
      readonly ours: readonly string[];
      readonly client: readonly string[];
    };

export type Differential = { compare(script: GeneratedScript): Outcome };

/** Starts a server that logs every statement. */
export async function startDifferential(t: Cleanup): Promise<Differential> {
  const server = await startTestServer(t, {
    args: ['--general-log', '--general-log-file=general.log', '--log-output=FILE'],
  });
  const log = join(server.scratch.dir, 'data', 'general.log');
  return { compare: (script) => compare(server, log, script) };
}

function compare(server: TestServer, log: string, script: GeneratedScript): Outcome {
  let ours: readonly string[];
  try {
    ours = loggedStatements(script);
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    return { kind: 'refused', message: error.message };
  }
  const client = sendThroughClient(server, log, script).map(asLogged);
  const same = ours.length === client.length && ours.every((sql, index) => sql === client[index]);
  return same ? { kind: 'same', statements: ours.length } : { kind: 'different', ours, client };
}

function sendThroughClient(server: TestServer, log: string, script: GeneratedScript): string[] {
  const from = statSync(log).size;
  const input = script.charset === 'latin1' ? Buffer.from(script.text, 'latin1') : script.text;
  // --sandbox: should the splitter ever let a client command pass, it must not reach a shell.
  const args = [
    '--no-defaults',
    `--socket=${server.address.socketPath}`,
    '--user=root',
    '--force',
    '--sandbox',
  ];
  spawnSync('mariadb', [...args, `--default-character-set=${script.charset}`], {
    input,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  return readQueries(readFrom(log, from).toString(script.charset === 'latin1' ? 'latin1' : 'utf8'));
}

/** Entries of the general log; the client's own question for the version is left out. */
function readQueries(log: string): string[] {
  const head = /^(?:\d{6} +\d+:\d\d:\d\d|\t)\t *\d+ (Query|Connect|Quit)\t/m;
  const [, ...parts] = log.split(head);
  const queries: string[] = [];
  for (let at = 0; at < parts.length; at += 2) {
    if (parts[at] === 'Query') queries.push((parts[at + 1] ?? '').replace(/\n$/, ''));
  }
  return queries.filter((query) => query !== 'select @@version_comment limit 1');
}

function readFrom(path: string, from: number): Buffer {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(statSync(path).size - from);
    readSync(file, bytes, 0, bytes.length, from);
    return bytes;
  } finally {
    closeSync(file);
  }
}

/** Our statements as they would be in the log if they were sent by the client. */
function loggedStatements({ text, charset }: GeneratedScript): string[] {
  let quoting: Quoting = {};
  return splitStatements(text, 'script').map(({ sql }) => {
    const logged = asLogged(asSent(sql, quoting, charset));
    quoting = quotingAfter(sql, quoting, {}) ?? {};
    return logged;
  });
}

/** Stand for a newline between quotes and for a comment that is taken out; no script holds them. */
const QUOTED_NEWLINE = '\uE000';
const COMMENT = '\uE001';

/**
 * Behind a comment the client puts a space before the next character in the line, but not before those
 * that it copies in a way of their own: behind them it comes too late, in the middle of a word.
 */
const BEHIND_COMMENT = {
  latin1: /\uE001((?:\\N|\uE001)*)(?=[^ \t\n\v\f\r\\\uE001])/g,
  utf8mb4: /\uE001((?:\\N|\P{ASCII})*)(?=(?![ \t\n\v\f\r\\])\p{ASCII})/gu,
};

/**
 * What the client makes of a statement on its way (MariaDB's client/mysql.cc, `add_line`). Nothing
 * else may differ, not even white space.
 */
function asSent(sql: string, quoting: Quoting, charset: GeneratedScript['charset']): string {
  return (
    withMarks(sql, quoting)
      .replaceAll(BEHIND_COMMENT[charset], `${COMMENT}$1 `)
      // A line that begins like the command DELIMITER loses its newline.
      .replaceAll(/(?<=^|[\n\uE000])(delimiter[^\n\uE000\uE001]*)\n/gi, '$1')
      .replaceAll(COMMENT, '')
      .replaceAll(QUOTED_NEWLINE, '\n')
  );
}

function withMarks(sql: string, quoting: Quoting): string {
  let text = '';
  let inCode = false;
  for (let at = 0; at < sql.length; ) {
    const { kind, end } = readToken(sql, at, quoting, inCode);
    const part = sql.slice(at, end);
    if (kind === 'code-begin') inCode = true;
    if (kind === 'code-end') inCode = false;
    // A comment does not end a statement: `--` at its end is followed by the delimiter, so it is none.
    if (kind === 'comment' && end < sql.length) text += COMMENT;
    else if (kind === 'space') text += part;
    else {
      // A backslash at the end of a line is sent as the newline that it stands for.
      const escapes = kind === 'string' && !quoting.noBackslashEscapes;
      const sent = escapes
        ? part.replaceAll(/\\([\s\S])/g, (pair, next) => (next === '\n' ? '\n' : pair))
        : part;
      text += sent.replaceAll('\n', QUOTED_NEWLINE);
    }
    at = end;
  }
  return text;
}

/** The server cuts white space at both ends and semicolons at the end off before it logs. */
function asLogged(sql: string): string {
  return sql.replace(/^[ \t\n\v\f\r]+/, '').replace(/[; \t\n\v\f\r]+$/, '');
}
