import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type Action, changesKey, makeActions } from '../../../src/migrations/actions.ts';
import { groupAt } from '../../../src/migrations/group.ts';
import type { Migration } from '../../../src/migrations/migration.ts';
import { checkScripts, makeLazyScript } from '../../../src/migrations/script.ts';

type Options = { readonly critical?: boolean };

function migration(number: number, text: string, { critical = true }: Options = {}): Migration {
  return {
    ...{ number, version: '1.0.0', name: `m${number}`, description: '', critical, down: null },
    ...{ data: null, checksum: '', rawChecksum: '' },
    up: makeLazyScript(text, `m${number}.up.sql`, false),
  };
}

/** The actions of migrations in which every statement of DDL leaves a trace. */
function actionsOf(...migrations: readonly Migration[]): {
  readonly actions: readonly Action[];
  group(seq: number): readonly (number | null)[];
} {
  const change = { key: 'table:a', before: 'old', after: 'new' };
  const expected = new Map(
    migrations.flatMap(({ number, up }) =>
      up.statements
        .filter(({ classification }) => classification.class === 'ddl')
        .map((statement) => [changesKey(number, statement.number), [change]] as const),
    ),
  );
  const actions = makeActions({ adopt: [], migrations, direction: 'up' }, expected);
  const byNumber = new Map(migrations.map((one) => [one.number, one]));
  const group = (seq: number) => {
    const found = groupAt(seq, actions, byNumber);
    return [...found.actions.map((action) => action.seq), found.intent?.seq ?? null];
  };
  return { actions, group };
}

describe('the actions that share a transaction', () => {
  before(() => checkScripts([]));

  test('are the last rows of a migration, its history row, and the intent of what follows', () => {
    const { group } = actionsOf(
      migration(1, 'CREATE TABLE a (id int); INSERT INTO a VALUES (1);'),
      migration(2, 'CREATE TABLE b (id int);'),
    );

    assert.deepEqual(group(1), [1, 2, 3]);
  });

  test('are never two statements that change rows', () => {
    const { group } = actionsOf(migration(1, 'DELETE FROM a; DELETE FROM b;'));

    assert.deepEqual(
      [group(0), group(1)],
      [
        [0, null],
        [1, 2, null],
      ],
    );
  });

  test('leave the history row alone when the file has changed the session', () => {
    const { group } = actionsOf(migration(1, "SET time_zone = '+09:00'; DELETE FROM a;"));

    assert.deepEqual(
      [group(1), group(2)],
      [
        [1, null],
        [2, null],
      ],
    );
  });

  test('have no intent of a migration that may fail: it is looked at before it begins', () => {
    const { group } = actionsOf(
      migration(1, 'DELETE FROM a;'),
      migration(2, 'CREATE TABLE b (id int);', { critical: false }),
    );

    assert.deepEqual(group(0), [0, 1, null]);
  });

  test('have no intent of what leaves no trace: after a stop nobody could tell that it never began', () => {
    const one = migration(1, 'DELETE FROM a; TRUNCATE TABLE b;');
    const actions = makeActions({ adopt: [], migrations: [one], direction: 'up' }, new Map());

    assert.equal(groupAt(0, actions, new Map([[1, one]])).intent, null);
  });
});
