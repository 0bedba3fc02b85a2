import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseEntities } from '../../../src/masterdata/entities.ts';
import { lintMasterdata } from '../../../src/masterdata/lint.ts';

const entities = parseEntities(
  {
    entities: {
      books: {
        table: 'book',
        file: 'books.json',
        key: ['title'],
        fields: { title: {}, shelf: {} },
      },
      loans: {
        ...{ table: 'loan', file: 'loans.json', key: ['book_title', 'reader'] },
        fields: {
          book_title: { reference: 'book_id', field: 'title' },
          reader: {},
          mood: { matches: { entity: 'books', field: 'shelf', also: ['any', 'check'] } },
        },
        references: { book_id: { entity: 'books', none: { value: '', id: 0 } } },
      },
    },
  },
  'dir',
);

async function lint(files: Readonly<Record<string, readonly object[]>>, set = entities) {
  const data = set.entities.map((entity) => {
    const rows = files[entity.name] ?? [];
    return {
      ...{ entity, count: rows.length },
      async *rows() {
        yield rows.map((value, index) => ({ index, value }));
      },
    };
  });
  const found = await lintMasterdata(set, data);
  return found.map(({ rule, file, index, message }) => `${rule} ${file}[${index}] ${message}`);
}

describe('lint of master data', () => {
  test('finds nothing in rows that are well', async () => {
    const books = [
      { title: 'Körper', shelf: 'A' },
      { title: 'Kerzen', shelf: 'B' },
    ];
    const loans = [
      // The collation of the database takes them for the same.
      { book_title: 'KORPER', reader: 'Ute', mood: 'a' },
      { book_title: '', reader: 'Uwe', mood: 'any' },
    ];

    assert.deepEqual(await lint({ books, loans }), []);
  });

  test('names what stands for something still to be written, and names that are empty', async () => {
    const books = [{ title: 'Placeholder' }, { title: ' ' }, { title: '???' }];

    assert.deepEqual(await lint({ books }), [
      "placeholder books.json[0] title: 'Placeholder'",
      'empty name books.json[1] title is empty',
      "placeholder books.json[2] title: '???'",
    ]);
  });

  test('names ligatures, in every text', async () => {
    const books = [{ title: 'Schiﬀe', shelf: 'ﬁ' }];

    assert.deepEqual(await lint({ books }), [
      "ligature books.json[0] title: 'Schiﬀe' has a ligature; 'Schiffe' is meant",
      "ligature books.json[0] shelf: 'ﬁ' has a ligature; 'fi' is meant",
    ]);
  });

  test('names keys that are spelled almost alike', async () => {
    const books = [
      { title: 'Körper' },
      { title: 'Koerper' },
      { title: 'Kör-per' },
      { title: 'Kork' },
    ];

    assert.deepEqual(await lint({ books }), [
      'spelling twin books.json[1] is spelled almost like Körper',
      'spelling twin books.json[2] is spelled almost like Körper',
    ]);
  });

  test('names keys that are one letter apart, but not numbers and short words', async () => {
    const books = [
      { title: 'Torkin' },
      { title: 'Thorkin' },
      { title: 'Leise Sohlen' },
      { title: 'Leise Sehlen' },
      { title: 'Band Nr. 1' },
      { title: 'Band Nr. 2' },
      { title: 'Band Nr. 12' },
      { title: 'Licht' },
      { title: 'Sicht' },
    ];

    assert.deepEqual(await lint({ books }), [
      'spelling twin books.json[1] is spelled almost like Torkin',
      'spelling twin books.json[3] is spelled almost like Leise Sohlen',
    ]);
  });

  test('names placeholders in any field, also one that the declaration lets pass', async () => {
    const books = [{ title: 'Kerzen', shelf: 'todo' }];
    const loans = [{ book_title: 'Kerzen', reader: 'Ute', mood: 'check' }];

    assert.deepEqual(await lint({ books, loans }), [
      "placeholder books.json[0] shelf: 'todo'",
      "placeholder loans.json[0] mood: 'check'",
    ]);
  });

  test('takes any field with game systems for one, whatever it is called', async () => {
    const systems = parseEntities(
      {
        gameSystemAliases: { one: { id: 1, aliases: ['eins'] } },
        entities: {
          books: {
            ...{ table: 'book', file: 'books.json', key: ['title', 'world'] },
            fields: { title: {}, world: { gameSystem: {} } },
          },
          loans: {
            ...{ table: 'loan', file: 'loans.json', key: ['book_title', 'book_world'] },
            fields: {
              book_title: { reference: 'book_id', field: 'title' },
              book_world: { reference: 'book_id', field: 'world' },
            },
            references: { book_id: { entity: 'books' } },
          },
        },
      },
      'dir',
    );

    const found = await lint(
      {
        books: [{ title: 'Kerzen', world: 'one' }],
        loans: [{ book_title: 'Kerzen', book_world: 'eins' }],
      },
      systems,
    );

    assert.deepEqual(found, []);
  });

  test('names references that match nothing', async () => {
    const books = [{ title: 'Kerzen', shelf: 'B' }];
    const loans = [{ book_title: 'Kerze', reader: 'Ute', mood: 'C' }];

    assert.deepEqual(await lint({ books, loans }), [
      "no match loans.json[0] book_title: no row of books has the title 'Kerze'",
      "no match loans.json[0] mood: no row of books has the shelf 'C'",
    ]);
  });
});
