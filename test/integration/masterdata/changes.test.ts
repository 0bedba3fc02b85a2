/** What production had is not lost: every changed field of every row, and rows that went, in full. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Db } from '../../../src/database/connect.ts';
import { inTransaction } from '../../../src/database/transaction.ts';
import type { Change } from '../../../src/masterdata/changes.ts';
import type { SyncReport } from '../../../src/masterdata/report.ts';
import { syncMasterdata } from '../../../src/masterdata/sync.ts';
import { type Files, makeDir, readSet, writeSet } from '../../support/masterdata.ts';
import { type Cleanup, startTestServer } from '../../support/server.ts';
import { shelfShop, shelfTables } from '../../support/shelf-shop.ts';

const server = await startTestServer({ after });

async function sync(
  t: Cleanup,
  db: Db,
  files: Files,
): Promise<{ report: SyncReport; kept: Change[] }> {
  const dir = await makeDir(t);
  await writeSet(dir, shelfShop, files);
  const set = await readSet(dir);
  const kept: Change[] = [];
  const report = await inTransaction(db, () =>
    syncMasterdata(db, set, async (_entity, change) => void kept.push(change)),
  );
  return { report, kept };
}

async function shop(): Promise<Db> {
  const db = await server.connect(await server.createDatabase());
  for (const statement of shelfTables) await db.run(statement);
  return db;
}

const products = (count: number, note: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => ({ name: `Ware ${at}`, note: note(at), shelf: null }));

const changesOf = ({ entities }: SyncReport, entity: string) =>
  entities.find((one) => one.entity === entity)!.changes;

describe('the changes of a sync', () => {
  test('are in the report in full: more rows than a screen takes, and long values', async (t) => {
    const db = await shop();
    const text = (word: string) => (at: number) => `${'x'.repeat(300)}${word}${at}`;
    await sync(t, db, { shelves: [], products: products(70, text('old')) });

    const { report, kept } = await sync(t, db, {
      shelves: [],
      products: products(70, text('new')),
    });

    const listed = changesOf(report, 'products');
    assert.equal(listed.length, 70);
    for (const [at, { kind, fields }] of listed.entries()) {
      assert.equal(kind, 'updated');
      assert.deepEqual(fields, { note: { old: text('old')(at), new: text('new')(at) } });
    }
    assert.deepEqual(kept, listed);
  });

  test('have all that a deleted row had, also in columns that no field has', async (t) => {
    const db = await shop();
    await db.run('ALTER TABLE product ADD made_by varchar(20)');
    const shelves = [{ name: 'oben' }];
    await sync(t, db, { shelves, products: [{ name: 'Seife', note: null, shelf: 'oben' }] });
    await db.run("UPDATE product SET made_by = 'Ute'");

    const { report } = await sync(t, db, { shelves, products: [] });

    assert.deepEqual(changesOf(report, 'products'), [
      {
        ...{ kind: 'deleted', key: 'Seife', id: '1' },
        fields: {
          name: { old: 'Seife', new: null },
          price: { old: '0.00', new: null },
          note: { old: null, new: null },
          shelf: { old: 'oben', new: null },
          shelf_name: { old: 'oben', new: null },
          made_by: { old: 'Ute', new: null },
        },
      },
    ]);
  });

  test('that are too many for a report are cut there, and kept in full elsewhere', async (t) => {
    const db = await shop();
    const text = (word: string) => (at: number) =>
      `${'x'.repeat(5000)}${word}${'y'.repeat(5000)}${at}`;
    await sync(t, db, { shelves: [], products: products(100, text('old')) });

    const { report, kept } = await sync(t, db, {
      shelves: [],
      products: products(100, text('new')),
    });

    const listed = changesOf(report, 'products');
    assert.equal(listed.length, 50);
    const { old, new: fresh } = listed.at(-1)!.fields['note']!;
    assert.match(old!, /^…x+oldy+…$/);
    assert.match(fresh!, /^…x+newy+…$/);
    assert.deepEqual(
      kept.map(({ fields }) => fields['note']),
      Array.from({ length: 100 }, (_, at) => ({ old: text('old')(at), new: text('new')(at) })),
    );
  });
});
