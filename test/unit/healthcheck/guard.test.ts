import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isLoopback } from '../../../healthcheck/guard.ts';

describe('an address of this machine', () => {
  for (const address of ['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1']) {
    test(`is ${address}`, () => {
      assert.equal(isLoopback(address), true);
    });
  }

  for (const address of ['10.0.0.1', '1127.0.0.1', '127.0.0.1.example', '::2', '']) {
    test(`is not ${address === '' ? 'nothing' : address}`, () => {
      assert.equal(isLoopback(address), false);
    });
  }
});
