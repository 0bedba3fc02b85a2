import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { redact } from '../../../src/errors/redact.ts';

describe('redact', () => {
  test('replaces a secret wherever it stands', () => {
    assert.equal(redact('a hunter2, (hunter2)', ['hunter2']), 'a ***, (***)');
  });

  test('replaces it URL-encoded, in upper and lower case, and inside of JSON', () => {
    const secret = 'p@"\\/ä';

    assert.equal(redact(encodeURIComponent(secret), [secret]), '***');
    assert.equal(redact(encodeURIComponent(secret).toLowerCase(), [secret]), '***');
    assert.equal(redact(JSON.stringify({ secret }), [secret]), '{"secret":"***"}');
    assert.equal(redact(JSON.stringify(JSON.stringify(secret)), [secret]), '"\\"***\\""');
  });

  test('replaces the longer of two secrets that contain each other', () => {
    assert.equal(redact('hunter2hunter2', ['hunter2', 'hunter2hunter2']), '***');
  });

  test('leaves secrets of one and two characters, which would blank out every line', () => {
    assert.equal(redact('a b ab', ['a', 'ab', '']), 'a b ab');
  });

  test('does not fail on half of a character', () => {
    assert.equal(redact('x\ud800yz', ['x\ud800yz']), '***');
  });
});
