import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  checkNumbers,
  type Entry,
  findVersions,
  groupFiles,
  type MigrationFiles,
} from '../../../src/migrations/file-names.ts';

const file = (name: string): Entry => ({ name, kind: 'file' });
const folder = (name: string): Entry => ({ name, kind: 'folder' });

describe('findVersions', () => {
  test('finds the version folders in the order of their numbers', () => {
    const { versions, problems } = findVersions(
      [
        folder('0.10.0'),
        folder('0.9.0'),
        file('schema.sql'),
        file('README.md'),
        file('.gitkeep'),
        folder('.git'),
      ],
      'migrations',
    );

    assert.deepEqual(versions, ['0.9.0', '0.10.0']);
    assert.deepEqual(problems, []);
  });

  for (const entry of [
    folder('v0.9.0'),
    folder('0.9'),
    folder('schema.sql'),
    file('0.9.0'),
    file('0001_a.up.sql'),
    { name: '0.9.0', kind: 'other' } as const,
  ]) {
    test(`refuses the ${entry.kind} ${entry.name}`, () => {
      const { versions, problems } = findVersions([entry], 'migrations');

      assert.deepEqual(versions, []);
      assert.deepEqual(
        problems.map(({ where }) => where),
        [`migrations/${entry.name}`],
      );
    });
  }
});

describe('groupFiles', () => {
  test('puts up, down and data files of a migration together, by number', () => {
    const names = [
      '0010_b.up.sql',
      '0002_a_b2.data.ts',
      '0002_a_b2.up.sql',
      '0002_a_b2.down.sql',
      '.swp',
    ];

    const { migrations, problems } = groupFiles('0.4.0', names.map(file), 'migrations');

    assert.deepEqual(problems, []);
    assert.deepEqual(migrations, [
      {
        ...{ number: 2, version: '0.4.0', name: 'a_b2' },
        up: '0.4.0/0002_a_b2.up.sql',
        down: '0.4.0/0002_a_b2.down.sql',
        data: '0.4.0/0002_a_b2.data.ts',
      },
      {
        number: 10,
        version: '0.4.0',
        name: 'b',
        up: '0.4.0/0010_b.up.sql',
        down: null,
        data: null,
      },
    ]);
  });

  const names = [
    '1_a.up.sql',
    '0001_A.up.sql',
    '0001-a.up.sql',
    '0001_a.sql',
    '0001_a.data.js',
    '0001__a.up.sql',
    '0001_a_.up.sql',
    'README.md',
    '0001_ä.up.sql',
  ];
  for (const name of names) {
    test(`refuses the name ${name}`, () => {
      const { migrations, problems } = groupFiles('0.4.0', [file(name)], 'migrations');

      assert.deepEqual(migrations, []);
      assert.deepEqual(problems, [
        {
          where: `migrations/0.4.0/${name}`,
          message: 'a migration is named NNNN_snake_case.up.sql, .down.sql or .data.ts',
        },
      ]);
    });
  }

  test('refuses a folder with the name of a migration', () => {
    assert.equal(groupFiles('0.4.0', [folder('0001_a.up.sql')], 'm').problems.length, 1);
  });

  test('refuses a down file without its up file', () => {
    assert.deepEqual(groupFiles('0.4.0', [file('0001_a.down.sql')], 'migrations').problems, [
      { where: 'migrations/0.4.0/0001_a.up.sql', message: 'the migration has no up file' },
    ]);
  });

  test('refuses a version without a migration', () => {
    assert.deepEqual(groupFiles('0.4.0', [file('.gitkeep')], 'migrations').problems, [
      { where: 'migrations/0.4.0', message: 'the version has no migration' },
    ]);
  });
});

describe('checkNumbers', () => {
  const at = (version: string, number: number, name = 'a'): MigrationFiles => {
    const up = `${version}/${String(number).padStart(4, '0')}_${name}.up.sql`;
    return { number, version, name, up, down: null, data: null };
  };

  test('accepts numbers that rise with the versions, with gaps', () => {
    assert.deepEqual(checkNumbers([at('0.9.0', 0), at('0.9.0', 5), at('0.10.0', 7)], 'm'), []);
  });

  test('refuses a number that is used twice, in one version or in two', () => {
    assert.deepEqual(checkNumbers([at('0.9.0', 1), at('0.9.0', 1, 'b')], 'm'), [
      { where: 'm/0.9.0/0001_b.up.sql', message: 'number 1 is also that of m/0.9.0/0001_a.up.sql' },
    ]);
    assert.equal(checkNumbers([at('0.9.0', 1), at('0.10.0', 1)], 'm').length, 1);
  });

  test('refuses a number that falls while the version rises', () => {
    assert.deepEqual(checkNumbers([at('0.9.0', 5), at('0.10.0', 4), at('0.10.0', 6)], 'm'), [
      {
        where: 'm/0.10.0/0004_a.up.sql',
        message: 'number 4 of 0.10.0 is lower than 5 of 0.9.0: numbers rise with versions',
      },
    ]);
  });
});
