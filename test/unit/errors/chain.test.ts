import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { causeChain, describeCause, describeCauses } from '../../../src/errors/chain.ts';
import { DeployError } from '../../../src/errors/deploy-error.ts';

const inner = new Error('disk full');
const middle = new DeployError('BACKUP_FAILED', 'writing the set', { cause: inner });
const outer = new DeployError('BACKUP_FAILED', 'the backup failed', { cause: middle });

describe('causeChain', () => {
  test('goes from the error to its innermost cause', () => {
    assert.deepEqual(causeChain(outer), [outer, middle, inner]);
  });

  test('ends in a circle, and of nothing is empty', () => {
    const circle = new Error('a');
    circle.cause = circle;

    assert.deepEqual(causeChain(circle), [circle]);
    assert.deepEqual(causeChain(undefined), []);
  });

  test('goes on with the first of several attempts to connect', () => {
    const attempt = new Error('connect ECONNREFUSED');
    const all = new AggregateError([attempt, new Error('other')]);

    assert.deepEqual(causeChain(all), [all, attempt]);
  });
});

describe('describeCause', () => {
  test('is the innermost cause', () => {
    assert.equal(describeCause(outer), 'disk full');
    assert.equal(describeCause(inner), null);
  });

  test('uses the words of the one who knows the error', () => {
    assert.equal(
      describeCause(outer, (error) => (error === inner ? 'explained' : null)),
      'explained',
    );
  });

  test('falls back to the code of an error without words', () => {
    const cause = Object.assign(new Error(''), { code: 'EACCES' });

    assert.equal(describeCause(new Error('x', { cause })), 'EACCES');
  });
});

describe('describeCauses', () => {
  test('joins the causes on one line, each once', () => {
    assert.equal(describeCauses(outer), 'writing the set: disk full');
    assert.equal(
      describeCauses(new Error('a', { cause: new Error('b\n  c', { cause: new Error('b c') }) })),
      'b c',
    );
    assert.equal(describeCauses(inner), null);
  });
});
