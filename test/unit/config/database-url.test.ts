import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseDatabaseUrl } from '../../../src/config/database-url.ts';

describe('parseDatabaseUrl', () => {
  for (const [value, parts] of [
    ['mysql://u:p@h:3307/b', { host: 'h', port: 3307, user: 'u', password: 'p', name: 'b' }],
    ['mariadb://u:p@h/b?charset=utf8mb4', { host: 'h', user: 'u', password: 'p', name: 'b' }],
    ['mysql://u@h/b', { host: 'h', user: 'u', name: 'b' }],
    ['mysql://u:@h/b', { host: 'h', user: 'u', password: '', name: 'b' }],
    ['mysql://h/b', { host: 'h', name: 'b' }],
    ['mysql://u:p%40%2F%3A%29@h/b', { host: 'h', user: 'u', password: 'p@/:)', name: 'b' }],
    ['mysql://u:p@/:)@h:1/b', { host: 'h', port: 1, user: 'u', password: 'p@/:)', name: 'b' }],
    ['mysql://u:a?b#c@h/b', { host: 'h', user: 'u', password: 'a?b#c', name: 'b' }],
    ['mysql://u:p@[::1]:3307/b', { host: '::1', port: 3307, user: 'u', password: 'p', name: 'b' }],
    [
      'mysql://u:p@localhost/b?socketPath=/run/m.sock',
      { socketPath: '/run/m.sock', user: 'u', password: 'p', name: 'b' },
    ],
    ['mysql://u:p@h/b?tls=false', { host: 'h', user: 'u', password: 'p', name: 'b' }],
  ] as const) {
    test(`reads the URL ${value}`, () => {
      assert.deepEqual(parseDatabaseUrl(value), parts);
    });
  }

  for (const [value, parts] of [
    [
      'bamort:se)cret@tcp(mariadb:3306)/bamort?charset=utf8mb4&parseTime=True&loc=Local',
      { host: 'mariadb', port: 3306, user: 'bamort', password: 'se)cret', name: 'bamort' },
    ],
    [
      'u:p@ss/w:)(rd@tcp(h:1)/b',
      { host: 'h', port: 1, user: 'u', password: 'p@ss/w:)(rd', name: 'b' },
    ],
    ['u:p%40@tcp(h)/b', { host: 'h', user: 'u', password: 'p%40', name: 'b' }],
    ['u:@tcp(x)/y@tcp(h:1)/b', { host: 'h', port: 1, user: 'u', password: '@tcp(x)/y', name: 'b' }],
    ['u:p@unix(/run/m.sock)/b', { socketPath: '/run/m.sock', user: 'u', password: 'p', name: 'b' }],
    [
      'u:p@tcp([2001:db8::1]:3306)/b',
      { host: '2001:db8::1', port: 3306, user: 'u', password: 'p', name: 'b' },
    ],
    ['u:p@/b', { host: '127.0.0.1', user: 'u', password: 'p', name: 'b' }],
    ['u@tcp(h)/', { host: 'h', user: 'u' }],
    [
      'mysql://x@tcp(h:3306)/b',
      { host: 'h', port: 3306, user: 'mysql', password: '//x', name: 'b' },
    ],
  ] as const) {
    test(`reads the Go form ${value}`, () => {
      assert.deepEqual(parseDatabaseUrl(value), parts);
    });
  }

  for (const [value, message] of [
    ['postgres://u:hunter2@h/b', /must begin with mysql:/],
    ['bamort.db', /neither a URL/],
    ['mysql://u:hunter2@h:x/b', /is not a URL of the form/],
    ['mysql://u:hunter2@h:99999/b', /port from 1 to 65535/],
    ['mysql://u:%zz@h/b', /write % as %25/],
    ['u:hunter2@unix(m.sock)/b', /must name a socket/],
    ['u:hunter2@tcp(h:x:y)/b', /host and port/],
    ['mysql://u:hunter2@h/b?ssl-mode=REQUIRED', /encryption/],
    ['u:hunter2@tcp(h)/b?tls=skip-verify', /encryption/],
  ] as const) {
    test(`refuses ${value} without repeating it`, () => {
      assert.throws(() => parseDatabaseUrl(value), { message });
      assert.throws(
        () => parseDatabaseUrl(value),
        (error: Error) => !error.message.includes('hunter2'),
      );
    });
  }
});
