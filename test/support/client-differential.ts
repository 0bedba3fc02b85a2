/**
 * Sends scripts through the real `mariadb` client and through our splitter, and compares the
 * statements. What the client sent is read from the server's general log.
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
    ours = canonicalStatements(script.text);
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    return { kind: 'refused', message: error.message };
  }
  const client = sendThroughClient(server, log, script).map(squeeze);
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

/** Our statements as the client would send them: without comments; white space does not count. */
function canonicalStatements(text: string): string[] {
  let quoting: Quoting = {};
  return splitStatements(text, 'script').map(({ sql }) => {
    const canonical = squeeze(withoutComments(sql, quoting));
    quoting = quotingAfter(sql, quoting, {}) ?? {};
    return canonical;
  });
}

function withoutComments(sql: string, quoting: Quoting): string {
  let text = '';
  let inCode = false;
  for (let at = 0; at < sql.length; ) {
    const token = readToken(sql, at, quoting, inCode);
    const part = sql.slice(at, token.end);
    if (token.kind === 'code-begin') inCode = true;
    if (token.kind === 'code-end') inCode = false;
    const escapes = token.kind === 'string' && !quoting.noBackslashEscapes;
    // The client sends a backslash at the end of a line as the newline that it stands for.
    if (escapes)
      text += part.replaceAll(/\\([\s\S])/g, (pair, next) => (next === '\n' ? '\n' : pair));
    // A comment does not end a statement: `--` at its end is followed by the delimiter, so it is none.
    else if (token.kind !== 'comment' || token.end === sql.length) text += part;
    at = token.end;
  }
  return text;
}

/** The server itself cuts semicolons and white space at the end off before it logs. */
function squeeze(sql: string): string {
  return sql.replaceAll(/[ \t\n\v\f\r]+/g, '').replace(/;+$/, '');
}
