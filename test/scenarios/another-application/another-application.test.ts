/** Another application than Bamort: its own migrations, declaration, rows and installation. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { makeSite, type Site } from '../../support/deploy.ts';
import type { Json } from '../../support/json.ts';
import { type Files, writeSet } from '../../support/masterdata.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });

const migrations = {
  '2.0.0/0001_library.up.sql': `--! description: shelves, books and loans
CREATE TABLE shelf (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) NOT NULL UNIQUE) COLLATE utf8mb4_unicode_ci;
CREATE TABLE book (id INT AUTO_INCREMENT PRIMARY KEY, title VARCHAR(80) NOT NULL UNIQUE, price DECIMAL(6,2) NOT NULL, shelf_id INT NOT NULL,
  FOREIGN KEY (shelf_id) REFERENCES shelf (id)) COLLATE utf8mb4_unicode_ci;
CREATE TABLE loan (id INT AUTO_INCREMENT PRIMARY KEY, book_id INT NOT NULL, reader VARCHAR(40) NOT NULL,
  FOREIGN KEY (book_id) REFERENCES book (id) ON DELETE CASCADE) COLLATE utf8mb4_unicode_ci;
CREATE TABLE reader (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) NOT NULL UNIQUE) COLLATE utf8mb4_unicode_ci;
`,
  '2.0.0/0001_library.down.sql':
    'DROP TABLE loan;\nDROP TABLE book;\nDROP TABLE shelf;\nDROP TABLE reader;\n',
};

const declaration = {
  protected: ['loan', 'reader'],
  entities: {
    shelves: { table: 'shelf', file: 'shelves.json', key: ['name'], fields: { name: {} } },
    books: {
      ...{ table: 'book', file: 'books.json', key: ['title'] },
      fields: {
        title: {},
        price: { required: true },
        shelf: { reference: 'shelf_id', field: 'name' },
      },
      references: { shelf_id: { entity: 'shelves' } },
    },
  },
};

const install = `export function check({ user }) {
  return user === '' ? ['a librarian needs a name'] : [];
}
export async function install(db, { user }) {
  await db.run({ strings: ['INSERT INTO reader (name) VALUES (', ')'], values: [user] });
  return ['librarian ' + user];
}
`;

const rows: Files = {
  shelves: [{ name: 'Märchen' }, { name: 'Reisen' }],
  books: [
    { title: 'Die Bremer Straße', price: '12.50', shelf: 'Märchen' },
    { title: 'Zur See & zurück', price: '8.00', shelf: 'Reisen' },
  ],
};

async function library(t: { after(fn: () => Promise<void>): void }): Promise<{
  readonly site: Site;
  readonly env: Readonly<Record<string, string>>;
  readonly dir: string;
}> {
  const site = await makeSite(t, server, migrations);
  const dir = path.join(site.dir, 'masterdata');
  await mkdir(dir);
  await writeSet(dir, declaration, rows);
  await writeFile(path.join(dir, 'install.ts'), install);
  const env = {
    ...{ MASTERDATA: 'changed', MASTERDATA_DIR: dir, SOURCE_DATE_EPOCH: '1770000000' },
    ...{ ADMIN_USER: 'Ute', ADMIN_EMAIL: 'ute@example.org', ADMIN_PASSWORD: 'Zauberwort-1' },
  };
  const ended = await site.deploy(['up'], env);
  assert.equal(ended.code, 0, ended.stderr);
  return { site, env, dir };
}

async function textsOf(dir: string): Promise<Record<string, string>> {
  const names = (await readdir(dir)).sort();
  const texts = names.map(async (name) => [name, await readFile(path.join(dir, name), 'utf8')]);
  return Object.fromEntries(await Promise.all(texts));
}

describe('an application of its own', () => {
  test('is installed with its rows, and changed rows arrive without touching what people made', async (t) => {
    const { site, env, dir } = await library(t);
    const db = await site.connect();
    await db.run("INSERT INTO loan (book_id, reader) SELECT id, 'Uwe' FROM book");
    const ids = await db.query('SELECT id, title FROM book ORDER BY id');
    const [first, ...others] = rows['books']!;
    await writeSet(dir, declaration, {
      ...rows,
      books: [{ ...first, price: '15.00' }, ...others],
    });

    const ended = await site.deploy(['up', '--json'], env);

    assert.equal(ended.code, 0, ended.stderr);
    const { entities } = (JSON.parse(ended.stdout) as Json)['masterdata'];
    assert.deepEqual(
      entities.map((one: Json) => [one['entity'], one['updated'], one['inserted']]),
      [
        ['shelves', 0, 0],
        ['books', 1, 0],
      ],
    );
    assert.deepEqual(await db.query('SELECT id, title FROM book ORDER BY id'), ids);
    assert.equal((await db.query('SELECT 1 FROM loan')).length, 2);
    assert.deepEqual(await db.query('SELECT name FROM reader'), [{ name: 'Ute' }]);
  });

  test('exports the same bytes after a round trip: as a folder, as one file, and in a package', async (t) => {
    const from = await library(t);
    const out = (name: string) => path.join(from.site.dir, name);
    const exported = await from.site.deploy(
      ['masterdata', 'export', '--output', out('a')],
      from.env,
    );
    assert.equal(exported.code, 0, exported.stderr);
    const one = await from.site.deploy(
      ['masterdata', 'export', '--output', out('one.json')],
      from.env,
    );
    assert.equal(one.code, 0, one.stderr);
    const combined = JSON.parse(await readFile(out('one.json'), 'utf8')) as Json;
    assert.deepEqual(Object.keys(combined['data']), ['shelves', 'books']);
    assert.deepEqual(combined['counts'], { shelves: 2, books: 2 });
    const packed = await from.site.deploy(['prepare', '--output', out('p.tar.gz')], from.env);
    assert.equal(packed.code, 0, packed.stderr);
    const again = await from.site.deploy(['prepare', '--output', out('q.tar.gz')], from.env);
    assert.equal(again.code, 0, again.stderr);
    assert.deepEqual(await readFile(out('p.tar.gz')), await readFile(out('q.tar.gz')));

    const ways = {
      folder: ['masterdata', 'import', '--input', out('a')],
      file: ['masterdata', 'import', '--input', out('one.json')],
      package: ['up', '--package', out('p.tar.gz')],
    };
    for (const [name, args] of Object.entries(ways)) {
      const to = await makeSite(t, server, migrations);
      const installed = await to.deploy(['up']);
      assert.equal(installed.code, 0, installed.stderr);
      const ended = await to.deploy(args, from.env);
      assert.equal(ended.code, 0, `${name}: ${ended.stderr}`);
      const back = await to.deploy(
        ['masterdata', 'export', '--output', out(`b-${name}`)],
        from.env,
      );
      assert.equal(back.code, 0, back.stderr);
      assert.deepEqual(await textsOf(out(`b-${name}`)), await textsOf(out('a')), name);
    }
  });

  test('prepare --dry-run says what the package would be, and writes none', async (t) => {
    const { site, env } = await library(t);
    const output = path.join(site.dir, 'p.tar.gz');

    const dry = await site.deploy(['prepare', '--output', output, '--dry-run', '--json'], env);

    assert.equal(dry.code, 0, dry.stderr);
    await assert.rejects(readFile(output), { code: 'ENOENT' });
    const real = await site.deploy(['prepare', '--output', output, '--json'], env);
    assert.equal(
      (JSON.parse(real.stdout) as Json)['sha256'],
      (JSON.parse(dry.stdout) as Json)['sha256'],
    );
  });

  test('masterdata lint names what is likely to be a mistake: exit 15, and needs no server', async (t) => {
    const { site, env, dir } = await library(t);
    const well = await site.deploy(['masterdata', 'lint'], { ...env, DB_HOST: '/nowhere' });
    assert.equal(well.code, 0, well.stderr);
    await writeSet(dir, declaration, {
      ...rows,
      shelves: [...rows['shelves']!, { name: 'Maerchen' }],
    });

    const ended = await site.deploy(['masterdata', 'lint'], { ...env, DB_HOST: '/nowhere' });

    assert.equal(ended.code, 15);
    assert.match(ended.stdout, /shelves\.json data\[2\] \(Maerchen\)\n {2}spelling twin/);
  });
});
