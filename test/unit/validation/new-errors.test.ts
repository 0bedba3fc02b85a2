import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checks } from '../../../src/validation/checks.ts';
import { type Finding, makeFinding, type Severity } from '../../../src/validation/finding.ts';
import { newErrors } from '../../../src/validation/validate.ts';

function finding(about: string, severity: Severity = 'error', count?: number): Finding {
  const more = count === undefined ? {} : { count };
  return makeFinding('check', severity, { about, message: `${about}!`, advice: 'look', ...more });
}

describe('newErrors', () => {
  test('gives errors that were not there before', () => {
    const [old, fresh] = [finding('old'), finding('new')];

    assert.deepEqual(newErrors([old], [old, fresh]), [fresh]);
  });

  test('knows an error again though its words changed', () => {
    const before = makeFinding('check', 'error', { about: 'a', message: 'one', advice: '' });
    const after = makeFinding('check', 'error', { about: 'a', message: 'two', advice: '' });

    assert.deepEqual(newErrors([before], [after]), []);
  });

  test('gives an error that has more rows than before, and not one that has fewer', () => {
    const before = finding('a', 'error', 5);

    assert.deepEqual(newErrors([before], [finding('a', 'error', 5)]), []);
    assert.deepEqual(newErrors([before], [finding('a', 'error', 4)]), []);
    assert.deepEqual(newErrors([before], [finding('a', 'error', 6)]), [finding('a', 'error', 6)]);
  });

  test('takes a warning that became an error for new, and no warning at all', () => {
    assert.deepEqual(newErrors([finding('a', 'warning')], [finding('a')]), [finding('a')]);
    assert.deepEqual(newErrors([], [finding('a', 'warning'), finding('b', 'info')]), []);
  });

  test('tells the same thing in two checks apart', () => {
    const other = makeFinding('other', 'error', { about: 'a', message: 'a', advice: '' });

    assert.deepEqual(newErrors([finding('a')], [other]), [other]);
  });
});

describe('the checks', () => {
  test('have names of their own, and a question each', () => {
    const names = checks.map(({ name }) => name);

    assert.equal(new Set(names).size, names.length);
    for (const { name, asks } of checks) {
      assert.match(name, /^[a-z-]+$/);
      assert.match(asks, /\?$/, name);
    }
  });
});
