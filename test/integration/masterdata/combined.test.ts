import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseEntities } from '../../../src/masterdata/entities.ts';
import { openMasterdata } from '../../../src/masterdata/open.ts';
import { readMasterdata } from '../../../src/masterdata/read.ts';
import { makeTmpDir } from '../../support/tmp.ts';

const declare = (missing: 'keep' | 'delete') =>
  parseEntities(
    {
      entities: {
        books: {
          table: 'book',
          file: 'books.json',
          key: ['title'],
          fields: { title: {} },
          missing,
        },
        shelves: { table: 'shelf', file: 'shelves.json', key: ['name'], fields: { name: {} } },
      },
    },
    'dir',
  );
const head = { export_version: '2.0', backend_version: '', timestamp: '', game_system: '' };

async function open(
  t: { after(fn: () => Promise<void>): void },
  file: object,
  missing: 'keep' | 'delete' = 'keep',
) {
  const tmpDir = await makeTmpDir(t);
  const path = join(tmpDir, 'all.json');
  await writeFile(path, JSON.stringify(file));
  const entities = declare(missing);
  const opened = await openMasterdata(path, { entities, formats: null, tmpDir });
  return readMasterdata(opened.dir, entities);
}

describe('a combined file', () => {
  test('is read as the rows of each entity; those that are not there have none', async (t) => {
    const set = await open(t, { ...head, data: { books: [{ title: 'A' }, { title: 'B' }] } });

    assert.deepEqual(
      set.data.map(({ entity, count }) => [entity.name, count]),
      [
        ['books', 2],
        ['shelves', 0],
      ],
    );
  });

  test('that lacks an entity whose rows would all go is refused, unless it says that there are none', async (t) => {
    const file = { ...head, data: { shelves: [{ name: 'A' }] } };

    await assert.rejects(
      open(t, file, 'delete'),
      /no rows of books, and all of its table would go/,
    );
    const set = await open(t, { ...file, counts: { books: 0, shelves: 1 } }, 'delete');
    assert.equal(set.data[0]!.count, 0);
  });

  test('with fewer rows than it says is refused', async (t) => {
    const file = { ...head, counts: { shelves: 2 }, data: { shelves: [{ name: 'A' }] } };

    await assert.rejects(open(t, file), /data\.shelves has 1 rows, and counts says 2/);
  });

  test('of a newer format, with rows of no entity, without its head, or not JSON is refused', async (t) => {
    const data = { shelves: [] };
    await assert.rejects(
      open(t, { ...head, export_version: '3.0', data }),
      /reads formats up to 2/,
    );
    await assert.rejects(
      open(t, { ...head, data: { cars: [{}] } }),
      /data\.cars is that of no entity/,
    );
    await assert.rejects(open(t, { export_version: '2.0', data }), /lacks backend_version/);
    await assert.rejects(open(t, { ...head, data: { shelves: { a: 1 } } }), {
      code: 'MASTERDATA_INVALID',
    });
  });

  test('with a value that is nested deeper than the stack holds is refused', async (t) => {
    const tmpDir = await makeTmpDir(t);
    const path = join(tmpDir, 'all.json');
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const text = JSON.stringify({ ...head, data: { books: [{ title: 'A' }, { title: 'DEEP' }] } });
    await writeFile(path, text.replace('"DEEP"', deep));

    await assert.rejects(
      openMasterdata(path, { entities: declare('keep'), formats: null, tmpDir }),
      {
        code: 'MASTERDATA_INVALID',
        message: 'title: not a single value',
        where: 'books.json data[1]',
      },
    );
  });

  test('in another encoding than UTF-8 is refused; a byte order mark is no part of it', async (t) => {
    const tmpDir = await makeTmpDir(t);
    const path = join(tmpDir, 'all.json');
    const text = JSON.stringify({ ...head, data: { books: [{ title: 'Müller' }] } });
    const options = { entities: declare('keep'), formats: null, tmpDir };

    await writeFile(path, Buffer.from(text, 'latin1'));
    await assert.rejects(openMasterdata(path, options), {
      code: 'MASTERDATA_INVALID',
      message: 'the file is not UTF-8',
    });
    await writeFile(path, `\uFEFF${text}`);
    const { dir } = await openMasterdata(path, options);
    assert.equal((await readMasterdata(dir, options.entities)).data[0]!.count, 1);
  });
});
