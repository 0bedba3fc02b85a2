import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DeployError } from '../../../src/errors/deploy-error.ts';
import { exitCodeOf, failureJson, renderFailure } from '../../../src/errors/render.ts';

const state = { database: 'not touched', exitCode: 20, secrets: ['hunter2'] };

describe('renderFailure', () => {
  test('takes the place from the nearest cause that has one', () => {
    const cause = new DeployError('BACKUP_FAILED', 'inner', { where: 'table `x`' });
    const error = new DeployError('PUT_BACK_FAILED', 'outer', { cause });

    assert.match(renderFailure({ ...state, error }), /^ {2}where {5}table `x`$/m);
  });

  test("puts the thrower's next step in the place of the catalogue's", () => {
    const error = new DeployError('LOCK_HELD', 'held', { next: ['one', 'two'] });

    const text = renderFailure({ ...state, error });

    assert.match(text, /^ {2}next {6}one\n {12}two$/m);
    assert.doesNotMatch(text, /unlock/);
  });

  test('redacts every line', () => {
    const error = new DeployError('LOCK_HELD', 'held by hunter2', {
      where: 'hunter2',
      next: ['hunter2'],
      cause: new Error('hunter2'),
    });

    assert.doesNotMatch(renderFailure({ ...state, error, database: 'hunter2' }), /hunter2/);
  });

  test('shows the stack of a bug, but no message in it', () => {
    const error = new Error('outer', { cause: new RangeError('row of a person') });

    const text = renderFailure({ ...state, error });

    assert.match(text, /\(INTERNAL, exit 20\)/);
    assert.match(text, /^caused by RangeError$/m);
    assert.match(text, /render\.test\.ts/);
    assert.equal(text.match(/row of a person/g)?.length, 1);
  });

  test('shows something for whatever was thrown', () => {
    for (const error of [undefined, null, 'text', 7, {}]) {
      assert.match(renderFailure({ ...state, error }), /INTERNAL/);
    }
  });

  test('hides the message of a server error that nobody explains', () => {
    const cause = Object.assign(new Error("Duplicate entry 'Bilbo'"), {
      ...{ errno: 1062, code: 'ER_DUP_ENTRY', sqlMessage: "Duplicate entry 'Bilbo'" },
    });
    const text = renderFailure({
      ...state,
      error: new DeployError('QUERY_FAILED', 'x', { cause }),
    });

    assert.doesNotMatch(text, /Bilbo/);
    assert.match(text, /the server reported 1062 ER_DUP_ENTRY/);
  });

  test('turns further lines of a message into lines of "what"', () => {
    const error = new DeployError('SPACE_SHORT', 'too little space\nneeded 5\nfree 4');

    assert.match(
      renderFailure({ ...state, error }),
      /^deploy: too little space\n {2}what {6}needed 5\n {12}free 4\n/,
    );
  });
});

describe('failureJson', () => {
  test('is one line with the same facts, redacted', () => {
    const error = new DeployError('LOCK_HELD', 'held by hunter2', {
      where: 'here',
      next: ['wait'],
    });

    const line = failureJson({ ...state, error, exitCode: 11, reportPath: '/reports/x.json' });

    assert.doesNotMatch(line, /\n/);
    assert.deepEqual(JSON.parse(line), {
      code: 'LOCK_HELD',
      exit_code: 11,
      message: 'held by ***',
      what: 'Another run holds the deploy lock of this database and did not end in time.',
      where: 'here',
      database: 'not touched',
      next: ['wait'],
      report: '/reports/x.json',
    });
  });

  test('stays JSON whatever the secret is', () => {
    const error = new DeployError('LOCK_HELD', 'held');

    assert.doesNotThrow(() =>
      JSON.parse(failureJson({ ...state, error, secrets: ['":"', '","'] })),
    );
  });
});

describe('exitCodeOf', () => {
  test('is that of the catalogue, and 1 for a bug', () => {
    assert.equal(exitCodeOf(new DeployError('LOCK_HELD', 'x')), 11);
    assert.equal(exitCodeOf(new Error('x')), 1);
    assert.equal(exitCodeOf(undefined), 1);
  });
});
