/** Master data meets a database in use: characters, users, and rules with the oddities of the real ones. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Db } from '../../../src/database/connect.ts';
import { inTransaction } from '../../../src/database/transaction.ts';
import { hashTables } from '../../../src/database/value-hash.ts';
import { DeployError } from '../../../src/errors/deploy-error.ts';
import { readEntities } from '../../../src/masterdata/entities.ts';
import { exportMasterdata } from '../../../src/masterdata/export.ts';
import { readMasterdata } from '../../../src/masterdata/read.ts';
import { diffMasterdata, syncMasterdata } from '../../../src/masterdata/sync.ts';
import { runUpTo, runVersion } from '../../support/bamort/migrate.ts';
import { fillVersion040 } from '../../support/bamort/rows.ts';
import {
  changedSample,
  type FileRow,
  makeDir,
  makeSchema,
  masterdataDir,
  readSet,
  summarise,
  syncAndCommit,
  writeSet,
} from '../../support/masterdata.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });

/** A database of 0.5.0 in use. Ten skills 'Placeholder' and two believes '' are duplicates in it. */
async function usedDatabase(): Promise<{ db: Db; name: string }> {
  const name = await server.createDatabase();
  const db = await server.connect(name);
  await runUpTo(db, '0.4.0');
  await fillVersion040(db, { characters: 13 });
  await runVersion(db, '0.5.0');
  return { db, name };
}

async function tablesLike(db: Db, pattern: RegExp): Promise<string[]> {
  const rows = await db.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()`,
  );
  return rows.map(({ name }) => name).filter((name) => pattern.test(name));
}

const own = /^(char_|equi_|users|audit_)/;

async function readIds(db: Db, tables: readonly string[]): Promise<Map<string, Set<string>>> {
  const ids = new Map<string, Set<string>>();
  for (const table of tables) {
    const rows = await db.query<{ id: string }>(`SELECT id FROM \`${table}\``);
    ids.set(table, new Set(rows.map(({ id }) => id)));
  }
  return ids;
}

describe('a sync into a database in use', () => {
  test('leaves every character, item and user as they are, and every id', async (t) => {
    const { db, name } = await usedDatabase();
    await syncAndCommit(db, await readSet(masterdataDir));
    const tables = (await readEntities(masterdataDir)).entities.map(({ table }) => table);
    const mine = await tablesLike(db, own);
    const [hashes, ids] = [await hashTables(db, name, mine), await readIds(db, tables)];
    const changed = await changedSample(t, (files) => {
      files['spells']![0]!['beschreibung'] = 'Neu beschrieben';
      files['skills']![1]!['source_code'] = 'RDK';
      files['skill_category_difficulties']![2]!['learn_cost'] = 99;
      files['sources']![0]!['publisher'] = 'Neuer Verlag & Co';
      files['weapon_skills']!.push({ name: 'Peitsche', game_system: 'midgard' });
    });

    const report = await syncAndCommit(db, changed);

    assert.deepEqual(summarise(report), [
      'sources +0 ~1 -0',
      'skills +0 ~1 -0',
      'skill_category_difficulties +0 ~1 -0',
      'spells +0 ~1 -0',
      'weapon_skills +1 ~0 -0',
    ]);
    assert.deepEqual(await hashTables(db, name, mine), hashes);
    for (const [table, now] of await readIds(db, tables)) {
      const before = ids.get(table)!;
      assert.deepEqual(
        [...before].filter((id) => !now.has(id)),
        [],
        `${table} keeps its ids`,
      );
      assert.equal(now.size - before.size, table === 'gsm_weaponskills' ? 1 : 0, table);
    }
  });

  test('warns of keys that the database has twice and no file has', async () => {
    const { db } = await usedDatabase();

    const report = await syncAndCommit(db, await readSet(masterdataDir));

    const warnings = report.entities.flatMap((one) => one.warnings);
    assert.deepEqual(warnings.map((text) => text.replace(/[\d, ]+$/, '')).sort(), [
      'gsm_believes has the same key in the rows with id',
      'gsm_skills has the same key in the rows with id',
    ]);
    assert.equal(warnings.find((text) => text.startsWith('gsm_skills'))!.split(', ').length, 10);
  });

  test('says of each changed field what it was and what it is', async (t) => {
    const db = await server.connect(await server.createDatabase());
    await makeSchema(db);
    await syncAndCommit(db, await readSet(masterdataDir));
    const changed = await changedSample(t, (files) => {
      files['spells']![0]!['level'] = 9;
      files['spells']![0]!['source_code'] = '';
    });

    const report = await diffMasterdata(db, changed);

    const spells = report.entities.find(({ entity }) => entity === 'spells');
    assert.deepEqual(spells?.changes, [
      {
        kind: 'updated',
        key: 'Leise Sohlen, midgard',
        id: '1',
        fields: { level: { old: '2', new: '9' }, source_code: { old: 'KDZ', new: '' } },
      },
    ]);
    assert.equal(spells?.unchanged, 4);
  });

  test('writes to no table of the database when nothing differs', async () => {
    const { db } = await usedDatabase();
    const set = await readSet(masterdataDir);
    await syncAndCommit(db, set);
    const log = await server.connect();
    await log.run("SET GLOBAL log_output = 'TABLE'");
    await log.run('SET GLOBAL general_log = 1');

    const report = await syncAndCommit(db, set);

    await log.run('SET GLOBAL general_log = 0');
    const statements = await log.query<{ text: string }>(
      `SELECT CONVERT(argument USING utf8mb4) AS text FROM mysql.general_log
       WHERE thread_id = ${db.id} AND command_type = 'Query'`,
    );
    const verb = /^\s*(INSERT INTO|UPDATE|DELETE|REPLACE|CREATE|DROP|ALTER|TRUNCATE)\s+(\S*)/i;
    const writing = statements.map(({ text }) => verb.exec(text)).filter((found) => found !== null);
    const others = writing.filter(([all]) => !/(`deploy_md_|\b(CREATE|DROP) TEMPORARY$)/.test(all));
    assert.deepEqual(summarise(report), []);
    assert.ok(writing.length > 100, 'the log has the statements of the staging tables');
    assert.deepEqual(
      others.map(([all]) => all),
      [],
    );
  });

  test('leaves the duplicates of the database alone, and refuses them when the file has their key', async (t) => {
    const { db, name } = await usedDatabase();
    await syncAndCommit(db, await readSet(masterdataDir));
    const before = await hashTables(db, name, await tablesLike(db, /./));
    const addressed = await changedSample(t, (files) => {
      files['skills']!.push({ name: 'Placeholder', game_system: 'midgard', initialwert: 7 });
    });

    const error = await syncAndCommit(db, addressed).catch((thrown: unknown) => thrown);

    assert.ok(error instanceof DeployError && error.code === 'MASTERDATA_INVALID');
    const [problem] = error.facts['problems'] as { message: string; file: string; index: number }[];
    assert.deepEqual([problem?.file, problem?.index], ['skills.json', 6]);
    assert.match(problem!.message, /^gsm_skills has this key in the rows with id \d+(, \d+){9}$/);
    assert.deepEqual(await hashTables(db, name, await tablesLike(db, /./)), before);
  });

  test('takes the game system by any of its names, and fills in its id', async () => {
    const db = await server.connect(await server.createDatabase());
    await makeSchema(db);
    const set = await readSet(masterdataDir);
    await syncAndCommit(db, set);
    await db.run("UPDATE gsm_spells SET game_system = 'M-System' WHERE id <= 2");
    await db.run("UPDATE gsm_spells SET game_system = 'm5', game_system_id = NULL WHERE id = 3");

    assert.deepEqual(summarise(await syncAndCommit(db, set)), ['spells +0 ~1 -0']);

    const rows = await db.query(
      'SELECT game_system AS name, game_system_id AS id FROM gsm_spells ORDER BY gsm_spells.id',
    );
    assert.deepEqual(
      rows.map(({ name, id }) => `${name} ${id}`),
      ['M-System 1', 'M-System 1', 'm5 1', 'midgard 1', 'midgard 1'],
    );
  });

  test('rolls back as a whole with its transaction', async () => {
    const { db, name } = await usedDatabase();
    const before = await hashTables(db, name, await tablesLike(db, /./));
    const stop = new Error('stop');

    const run = inTransaction(db, async () => {
      await syncMasterdata(db, await readSet(masterdataDir));
      throw stop;
    });

    await assert.rejects(run, stop);
    assert.deepEqual(await hashTables(db, name, await tablesLike(db, /./)), before);
  });

  test('brings the master data of one database, duplicates aside, to another', async (t) => {
    const { db } = await usedDatabase();
    await db.run("DELETE FROM gsm_skills WHERE name = 'Placeholder'");
    await db.run("DELETE FROM gsm_believes WHERE name = '' ORDER BY id DESC LIMIT 1");
    const [first, second] = [await makeDir(t), await makeDir(t)];
    const entities = await readEntities(masterdataDir);
    const meta = { backendVersion: '1', dbVersion: '0.5.0', timestamp: 'x', gameSystem: 'midgard' };
    const metadata = await exportMasterdata(db, entities, first, meta);
    const target = await server.connect(await server.createDatabase());
    await makeSchema(target);
    const set = await readMasterdata(first, entities);

    await syncAndCommit(target, set);

    const again = await exportMasterdata(target, entities, second, meta);
    assert.deepEqual(again.files, metadata.files);
  });
});

const herbs = {
  entities: {
    herbs: { table: 'herb', file: 'herbs.json', key: ['name'], fields: { name: {}, effect: {} } },
  },
};

async function herbTable(): Promise<Db> {
  const db = await server.connect(await server.createDatabase());
  await db.run(`CREATE TABLE herb (id bigint unsigned AUTO_INCREMENT PRIMARY KEY,
    name varchar(50) COLLATE utf8mb4_unicode_ci NOT NULL, effect text)`);
  return db;
}

describe('keys', () => {
  for (const [there, file] of [
    ['Straße', 'Strasse'],
    ['Stoﬀ', 'Stoff'],
    ['Körper', 'korper'],
    ['Minze ', 'Minze'],
  ] as const) {
    test(`${there} of the database and ${file} of the file are one row, as the column says`, async (t) => {
      const db = await herbTable();
      await db.run(`INSERT INTO herb (id, name, effect) VALUES (7, '${there}', 'alt')`);
      const dir = await makeDir(t);
      const rows: FileRow[] = [{ name: file, effect: 'alt' }];
      await writeSet(dir, herbs, { herbs: rows });

      const report = await syncAndCommit(db, await readSet(dir));

      // Development wins, also in the spelling.
      assert.deepEqual(summarise(report), ['herbs +0 ~1 -0']);
      assert.deepEqual(await db.query('SELECT * FROM herb'), [
        { id: '7', name: file, effect: 'alt' },
      ]);
    });
  }

  test('that are equal for the database are refused when the file has both', async (t) => {
    const db = await herbTable();
    const dir = await makeDir(t);
    await writeSet(dir, herbs, {
      herbs: [{ name: 'Straße' }, { name: 'Minze' }, { name: 'STRASSE' }],
    });

    const error = await syncAndCommit(db, await readSet(dir)).catch((thrown: unknown) => thrown);

    assert.ok(error instanceof DeployError);
    const problems = error.facts['problems'] as { where: string; message: string }[];
    assert.deepEqual(
      problems.map(({ where, message }) => `${where}: ${message}`),
      [
        'herbs.json data[0] (Straße): the same key is at 0, 2 of the file: the database sees no difference',
      ],
    );
    assert.deepEqual(await db.query('SELECT * FROM herb'), []);
  });
});
