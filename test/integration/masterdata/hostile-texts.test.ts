/** Texts that a format could take for something else come back byte by byte, however they travel. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { openPackage } from '../../../src/bundle/open-package.ts';
import { writePackage } from '../../../src/bundle/write-package.ts';
import type { Db } from '../../../src/database/connect.ts';
import { writeCombined } from '../../../src/masterdata/combined.ts';
import type { EntitySet } from '../../../src/masterdata/entity.ts';
import { exportMasterdata } from '../../../src/masterdata/export.ts';
import type { Metadata } from '../../../src/masterdata/format.ts';
import { openMasterdata } from '../../../src/masterdata/open.ts';
import { readMasterdata } from '../../../src/masterdata/read.ts';
import { makeDir, readSet, syncAndCommit, writeSet } from '../../support/masterdata.ts';
import { type Cleanup, startTestServer } from '../../support/server.ts';
import { shelfShop, shelfTables } from '../../support/shelf-shop.ts';

const server = await startTestServer({ after });

const notes = [
  'line\u2028separator\u2029paragraph',
  '\u2028',
  'a NUL \0 and a lone \r, a \n, a \t',
  'backslash \\ quote " apostrophe \' and \\u0026',
  'emoji 😀 and 🧙🏽‍♀️',
  '<b>&amp; </b> {x} $& $1 %s',
  ' spaces  around ',
  '"},{"name":"x"',
  '[]\n}',
];

async function shopDatabase(): Promise<Db> {
  const db = await server.connect(await server.createDatabase());
  for (const statement of shelfTables) await db.run(statement);
  return db;
}

type Way = (
  t: Cleanup,
  exported: { dir: string; entities: EntitySet; metadata: Metadata },
) => Promise<string>;

const ways: readonly (readonly [string, Way])[] = [
  ['a folder', async (_t, { dir }) => dir],
  [
    'a combined file',
    async (t, { dir, entities, metadata }) => {
      const tmpDir = await makeDir(t);
      const file = join(tmpDir, 'all.json');
      await writeCombined(dir, metadata, entities, file);
      const opened = await openMasterdata(file, { entities, formats: null, tmpDir });
      return opened.dir;
    },
  ],
  [
    'a package',
    async (t, { dir }) => {
      const tmpDir = await makeDir(t);
      const output = join(tmpDir, 'package.tar.gz');
      const version = '1.0.0';
      const createdAt = new Date(0);
      await writePackage({ masterdataDir: dir, version, toolVersion: '1', output, createdAt });
      return (await openPackage(output, { expectedVersion: version, tmpDir })).dir;
    },
  ],
];

describe('texts that look like something else', () => {
  for (const [name, travel] of ways) {
    test(`come back as they were by ${name}`, async (t) => {
      const [from, to] = [await shopDatabase(), await shopDatabase()];
      const dir = await makeDir(t);
      const products = notes.map((note, at) => ({ name: `Ware ${at}`, note, shelf: null }));
      await writeSet(dir, shelfShop, { shelves: [], products });
      const set = await readSet(dir);
      await syncAndCommit(from, set);
      const exported = join(await makeDir(t), 'export');
      await mkdir(exported);
      const about = { backendVersion: '', dbVersion: '', timestamp: '', gameSystem: '' };
      const metadata = await exportMasterdata(from, set.entities, exported, about);

      const there = await travel(t, { dir: exported, entities: set.entities, metadata });
      await syncAndCommit(to, await readMasterdata(there, set.entities));

      const rows = await to.query<{ note: string }>('SELECT note FROM product ORDER BY id');
      assert.deepEqual(
        rows.map(({ note }) => note),
        notes,
      );
    });
  }
});
