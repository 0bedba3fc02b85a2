import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planObjects } from '../../../src/backup/put-objects.ts';
import type { ObjectKey } from '../../../src/schema/model.ts';

const prints = (record: Record<string, string>) =>
  new Map(Object.entries(record) as [ObjectKey, string][]);
const section = (key: string) => ({ key, statements: [] });

function plan(
  wanted: Record<string, string>,
  live: Record<string, string>,
  kinds: string[],
  keys = Object.keys(wanted),
) {
  const { drop, make } = planObjects(prints(wanted), prints(live), keys.map(section), kinds);
  return { drop: [...drop], make: make.map(({ key }) => key) };
}

test('what is equal stays, what differs is made again, what is not wanted goes', () => {
  assert.deepEqual(
    plan(
      { 'view:same': '1', 'view:other': '1', 'view:missing': '1', 'procedure:not_asked': '1' },
      { 'view:same': '1', 'view:other': '2', 'view:extra': '1', 'table:t': '1' },
      ['view'],
    ),
    { drop: ['view:other', 'view:extra'], make: ['view:other', 'view:missing'] },
  );
});

test('triggers are all made again: their order counts', () => {
  assert.deepEqual(plan({ 'trigger:t': '1' }, { 'trigger:t': '1' }, ['trigger']), {
    drop: ['trigger:t'],
    make: ['trigger:t'],
  });
});

test('a view’s placeholder is made with the view and stays away with it', () => {
  const keys = ['placeholder:a', 'placeholder:b', 'view:a', 'view:b'];
  assert.deepEqual(plan({ 'view:a': '1', 'view:b': '1' }, { 'view:a': '1' }, ['view'], keys), {
    drop: [],
    make: ['placeholder:b', 'view:b'],
  });
});

test('a routine that is made again is not dropped before: rights on it would go', () => {
  const wanted = { 'procedure:p': '1', 'function:same': '1' };
  const live = { 'procedure:p': '2', 'function:p': '1', 'function:same': '1' };
  assert.deepEqual(plan(wanted, live, ['procedure', 'function']), {
    drop: ['function:p'],
    make: ['procedure:p'],
  });
});

test('a package and its body go and come together', () => {
  const both = { 'package:p': '1', 'package body:p': '1' };
  const kinds = ['package', 'package body'];
  assert.deepEqual(plan(both, { 'package:p': '1', 'package body:p': '2' }, kinds), {
    drop: [],
    make: ['package:p', 'package body:p'],
  });
  assert.deepEqual(plan(both, both, kinds), { drop: [], make: [] });
});
