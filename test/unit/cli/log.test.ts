import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import { makeLog } from '../../../src/cli/log.ts';
import { DeployError } from '../../../src/errors/deploy-error.ts';

const settings = { logLevel: 'info', logFormat: 'auto', secrets: ['hunter2', '":"'] } as const;

function makeStream({ isTTY }: { isTTY?: boolean } = {}) {
  const chunks: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  return {
    stream: Object.assign(stream, isTTY === undefined ? {} : { isTTY }),
    text: () => chunks.join(''),
  };
}

function makeDir(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'log-'));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

describe('the log', () => {
  test('is JSON lines where nobody reads along', () => {
    const { stream, text } = makeStream();

    makeLog(settings, { stderr: stream }).info({ table: 'spells', rows: 3 }, 'dumped');

    const { time, ...line } = JSON.parse(text()) as Record<string, unknown>;
    assert.deepEqual(line, { level: 'info', table: 'spells', rows: 3, msg: 'dumped' });
    assert.match(String(time), /^\d{4}-\d\d-\d\dT.*Z$/);
  });

  test('is readable lines on a terminal', () => {
    const { stream, text } = makeStream({ isTTY: true });
    const log = makeLog(settings, { stderr: stream });

    log.info('waiting');
    log.warn({ table: 'spells' }, 'slow');

    assert.match(text(), /^\d\d:\d\d:\d\d waiting\n\d\d:\d\d:\d\d warn: slow \(table=spells\)\n$/);
  });

  test('obeys LOG_LEVEL and LOG_FORMAT', () => {
    const { stream, text } = makeStream({ isTTY: true });
    const log = makeLog({ ...settings, logFormat: 'json', logLevel: 'warn' }, { stderr: stream });

    log.info('no');
    log.warn('yes');

    assert.equal((JSON.parse(text()) as { msg: string }).msg, 'yes');
  });

  test('shows no secret, in a message, a field or an error, and stays JSON', () => {
    const { stream, text } = makeStream();
    const err = new DeployError('LOCK_LOST', 'lost hunter2', { cause: new Error('hunter2') });

    makeLog(settings, { stderr: stream }).error(
      { err, deep: { list: ['hunter2'] } },
      'hunter2 ":"',
    );

    assert.doesNotMatch(text(), /hunter2/);
    assert.equal((JSON.parse(text()) as { msg: string }).msg, '*** ***');
  });

  test('describes errors by code and words, without stack and without values of rows', () => {
    const { stream, text } = makeStream();
    const cause = Object.assign(new Error("Duplicate entry 'Bilbo' for key 'name'"), {
      ...{ errno: 1062, code: 'ER_DUP_ENTRY', sql: "INSERT … 'Bilbo'" },
      sqlMessage: "Duplicate entry 'Bilbo' for key 'name'",
    });

    makeLog(settings, { stderr: stream }).error(
      { err: new DeployError('MIGRATION_FAILED', 'statement 2 failed', { cause }) },
      'failed',
    );

    assert.doesNotMatch(text(), /Bilbo|\.ts/);
    assert.deepEqual((JSON.parse(text()) as { err: unknown }).err, {
      code: 'MIGRATION_FAILED',
      message: "statement 2 failed: Duplicate entry … for key 'name' (1062 ER_DUP_ENTRY)",
    });
  });

  test('survives a reader that has gone away', () => {
    const { stream } = makeStream();
    const log = makeLog(settings, { stderr: stream });

    assert.doesNotThrow(() =>
      stream.emit('error', Object.assign(new Error('x'), { code: 'EPIPE' })),
    );
    assert.doesNotThrow(() => log.info('still there'));
  });
});

describe('the log file', () => {
  test('holds everything from the beginning, also debug messages, for its owner only', (t) => {
    const dir = makeDir(t);
    const { stream, text } = makeStream();
    let worthIt = false;
    const file = { dir: join(dir, 'reports'), stamp: '20260116_103000', when: () => worthIt };
    const log = makeLog(settings, { stderr: stream, file });

    log.info('before');
    assert.deepEqual(readdirSync(dir), []);
    worthIt = true;
    log.debug({ sql: 'SELECT 1' }, 'ran');

    const path = join(dir, 'reports', 'deployment_20260116_103000.log');
    assert.match(
      readFileSync(path, 'utf8'),
      /^\S+Z info {2}before\n\S+Z debug ran \(sql=SELECT 1\)\n$/,
    );
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.doesNotMatch(text(), /SELECT/);
  });

  test('that cannot be written is one warning, and stops nothing', (t) => {
    const dir = makeDir(t);
    writeFileSync(join(dir, 'reports'), 'a file and no folder');
    const { stream, text } = makeStream();
    const log = makeLog(settings, {
      stderr: stream,
      file: { dir: join(dir, 'reports'), stamp: 's' },
    });

    log.info('one');
    log.info('two');

    const levels = text()
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { level: string }).level);
    assert.deepEqual(levels, ['info', 'warn', 'info']);
  });
});
