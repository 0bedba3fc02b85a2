import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  changedObjects,
  digestOf,
  fingerprintObject,
  fingerprintSchema,
} from '../../../src/schema/fingerprint.ts';
import { codeOf, columnOf, indexOf, modelOf, tableOf } from '../../support/schema/models.ts';

describe('fingerprintObject', () => {
  const indexes = [indexOf('a', ['x']), indexOf('b', ['y'])];

  test('is 32 hex digits', () => {
    assert.match(fingerprintObject(tableOf('t')), /^[0-9a-f]{32}$/);
  });

  test('the order of indexes and of attributes does not count', () => {
    assert.equal(
      fingerprintObject(tableOf('t', { indexes })),
      fingerprintObject(tableOf('t', { indexes: indexes.toReversed() })),
    );
    assert.equal(
      fingerprintObject(codeOf('view', 'v', 'select 1', { a: '1', b: '2' })),
      fingerprintObject(codeOf('view', 'v', 'select 1', { b: '2', a: '1' })),
    );
  });

  test('a display width counts unless it is the usual one', () => {
    const withType = (type: string) =>
      fingerprintObject(tableOf('t', { columns: [columnOf('a', type)] }));

    assert.equal(withType('int(11)'), withType('int'));
    assert.notEqual(withType('int(5)'), withType('int'));
  });

  test('the same text as another kind of object has another fingerprint', () => {
    assert.notEqual(
      fingerprintObject(codeOf('procedure', 'a', 'select 1')),
      fingerprintObject(codeOf('function', 'a', 'select 1')),
    );
  });
});

describe('changedObjects', () => {
  test('names what came, went and changed', () => {
    const before = fingerprintSchema(modelOf(tableOf('a'), tableOf('b'), tableOf('c')));
    const after = fingerprintSchema(
      modelOf(tableOf('d'), tableOf('b', { comment: 'x' }), tableOf('c')),
    );

    const changed = changedObjects(before, after);

    assert.deepEqual(
      changed.map(({ key, before: was, after: is }) => [key, was === null, is === null]),
      [
        ['table:a', false, true],
        ['table:b', false, false],
        ['table:d', true, false],
      ],
    );
  });
});

describe('digestOf', () => {
  test('does not depend on the order of the map', () => {
    const entries: [string, string][] = [
      ['table:a', '1'],
      ['table:b', '2'],
    ];

    assert.equal(digestOf(new Map(entries)), digestOf(new Map(entries.toReversed())));
    assert.notEqual(digestOf(new Map(entries)), digestOf(new Map(entries.slice(1))));
  });
});
