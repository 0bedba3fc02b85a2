import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cutFieldChange } from '../../../src/masterdata/changes.ts';

describe('a change of a long value', () => {
  test('is cut around the first difference, on both sides', () => {
    const [old, fresh] = [`${'a'.repeat(500)}1${'b'.repeat(500)}`, `${'a'.repeat(500)}2b`];

    assert.deepEqual(cutFieldChange({ old, new: fresh }, 20), {
      old: `…${'a'.repeat(5)}1${'b'.repeat(14)}…`,
      new: `…${'a'.repeat(18)}2b`,
    });
  });

  test('stays whole where it fits, and never becomes half of a character', () => {
    assert.deepEqual(cutFieldChange({ old: null, new: 'x' }, 4), { old: null, new: 'x' });
    const { old } = cutFieldChange({ old: '😀'.repeat(9), new: null }, 4);
    assert.equal(old, '😀😀😀😀…');
  });
});
