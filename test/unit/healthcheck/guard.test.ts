import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clientOf, isLoopback } from '../../../healthcheck/guard.ts';

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

describe('the client that the rate limit counts', () => {
  test('is an IPv4 address, also in IPv6 form', () => {
    assert.equal(clientOf('203.0.113.7'), '203.0.113.7');
    assert.equal(clientOf('::ffff:203.0.113.7'), '203.0.113.7');
  });

  test('is a whole network of IPv6', () => {
    assert.equal(clientOf('2001:db8::1'), clientOf('2001:db8::ffff:2'));
    assert.notEqual(clientOf('2001:db8::1'), clientOf('2001:db8:0:1::1'));
  });

  test('is at most 64 characters of what is no address', () => {
    assert.equal(clientOf('x'.repeat(8_000)), 'x'.repeat(64));
  });
});
