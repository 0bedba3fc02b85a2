import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { connect } from '../../../src/database/connect.ts';
import { copyStructure } from '../../../src/schema/copy.ts';
import type { Table } from '../../../src/schema/model.ts';
import { readSchema } from '../../../src/schema/read.ts';
import { makeSchema } from '../../support/schema/make.ts';
import { tortureSchema } from '../../support/schema/torture.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });
const db = await server.connect();

/** Tables of the usual kind, each with keys, a foreign key, a trigger and a view on it. */
function usualTables(count: number): string[] {
  return Array.from({ length: count }, (_, index) => [
    `CREATE TABLE t${index} (id int AUTO_INCREMENT PRIMARY KEY, name varchar(20), parent int, KEY (name),
      FOREIGN KEY (parent) REFERENCES t${Math.max(index - 1, 0)} (id))`,
    `CREATE TRIGGER tr${index} BEFORE INSERT ON t${index} FOR EACH ROW SET new.name = 'x'`,
    `CREATE VIEW v${index} AS SELECT * FROM t${index}`,
    `CREATE PROCEDURE p${index}() SELECT 1`,
  ]).flat();
}

describe('readSchema', () => {
  test('takes as many queries for 60 tables as for 3', async () => {
    const log = join(server.scratch.dir, 'general.log');
    const [few, many] = [
      await makeSchema(server, usualTables(3)),
      await makeSchema(server, usualTables(60)),
    ];
    await db.run(`SET GLOBAL general_log_file='${log}'`);
    const countQueries = async (schema: string, tables?: string[]) => {
      const reader = await server.connect();
      await db.run('SET GLOBAL general_log=1');
      const { objects } = await readSchema(reader, schema, tables && { tables });
      await db.run('SET GLOBAL general_log=0');
      const lines = readFileSync(log, 'utf8').split('\n');
      const queries = lines.filter((line) =>
        line.includes(`\t${String(reader.id).padStart(6)} Query`),
      );
      return { queries: queries.length, objects: objects.size };
    };

    assert.deepEqual(await countQueries(few), { queries: 13, objects: 12 });
    assert.deepEqual(await countQueries(many), { queries: 13, objects: 240 });
    assert.deepEqual(await countQueries(many, ['t1', 't7']), { queries: 9, objects: 4 });
  });

  test('reads the same whatever the session was set to, and leaves it so', async () => {
    const schema = await makeSchema(server, tortureSchema);
    const expected = await readSchema(db, schema);
    const settings = `SELECT @@sql_mode AS m, @@time_zone AS z, @@character_set_client AS c,
      @@character_set_results AS r, @@collation_connection AS k, @@sql_quote_show_create AS q,
      CAST(@@sql_select_limit AS CHAR) AS l, DATABASE() AS d`;
    for (const set of [
      `SET sql_mode='ANSI_QUOTES'`,
      `SET sql_mode='ORACLE'`,
      `SET sql_mode='NO_TABLE_OPTIONS,NO_BACKSLASH_ESCAPES,EMPTY_STRING_IS_NULL'`,
      'SET sql_quote_show_create=0',
      'SET NAMES latin1 COLLATE latin1_german1_ci',
      'SET NAMES utf8mb4 COLLATE utf8mb4_german2_ci',
      `SET character_set_results=NULL`,
      `SET time_zone='+05:00'`,
      'SET sql_select_limit=1',
      'USE mysql',
      `USE ${schema}`,
      'SET autocommit=0',
    ]) {
      const session = await server.connect();
      await session.run(set);
      const before = await session.one(settings);

      assert.deepEqual(await readSchema(session, schema), expected, set);

      assert.deepEqual(await session.one(settings), before, set);
      await session.close();
    }
  });

  test('reads named tables with their triggers, and nothing else', async () => {
    const schema = await makeSchema(server, tortureSchema);
    const { objects } = await readSchema(db, schema);
    const expect = (...keys: string[]) => [...objects].filter(([key]) => keys.includes(key));
    const read = async (tables: string[]) => [
      ...(await readSchema(db, schema, { tables })).objects,
    ];

    assert.deepEqual(
      await read(['c', 'p', 'absent', 'deploy_run']),
      expect(
        'table:c',
        'table:p',
        'trigger:tansi',
        'trigger:t2',
        'trigger:t3',
        'trigger:t`4',
        'trigger:tdel',
        'trigger:told',
      ),
    );
    assert.deepEqual(await read(['Case1']), expect('table:Case1'));
    assert.deepEqual(await read(['sq', 'z_first', 'f1']), expect('sequence:sq', 'view:z_first'));
    assert.deepEqual(await read([]), []);
    const tables = [...objects.values()].filter(({ kind }) => kind === 'table');
    const all = await read(tables.map(({ name }) => name));
    assert.deepEqual(
      all.filter(([key]) => key.startsWith('table:')),
      [...objects].filter(([key]) => key.startsWith('table:')),
    );
  });

  test('never shows the tables of this program, nor what hangs on them', async () => {
    const schema = await makeSchema(server, tortureSchema);

    const { objects } = await readSchema(db, schema);

    assert.deepEqual(
      [...objects.keys()].filter((key) => /deploy_|own_trigger/.test(key)),
      [],
    );
  });

  test('keeps apart schemas whose names differ in case only', async () => {
    await makeSchema(
      server,
      ['CREATE TABLE small (a int)', 'CREATE VIEW sv AS SELECT a FROM small'],
      'twin',
    );
    await makeSchema(
      server,
      ['CREATE TABLE big (a int)', 'CREATE VIEW bv AS SELECT a FROM big'],
      'TWIN',
    );

    assert.deepEqual(
      [...(await readSchema(db, 'twin')).objects.keys()],
      ['table:small', 'view:sv'],
    );
    assert.deepEqual([...(await readSchema(db, 'TWIN')).objects.keys()], ['table:big', 'view:bv']);
  });

  test('knows what a foreign key to another schema points to', async () => {
    const parent = await makeSchema(server, ['CREATE TABLE p (id int PRIMARY KEY)']);
    const child = await makeSchema(server, [
      `CREATE TABLE c (id int, FOREIGN KEY (id) REFERENCES \`${parent}\`.p (id))`,
    ]);
    const copier = await server.connect();
    await copyStructure(copier, child, copier, 'child copy');

    for (const schema of [child, 'child copy']) {
      const table = (await readSchema(db, schema)).objects.get('table:c') as Table;
      assert.deepEqual(table.foreignKeys[0]?.references, {
        schema: parent,
        table: 'p',
        columns: ['id'],
      });
    }
  });

  test('reads bytes of a default that no text of the server shows', async () => {
    const schema = await makeSchema(server, [
      `CREATE TABLE t (a varbinary(4) DEFAULT 0x00ff, b varchar(4) DEFAULT '😀?', c varchar(4) DEFAULT '?')`,
    ]);

    const table = (await readSchema(db, schema)).objects.get('table:t') as Table;

    assert.deepEqual(
      table.columns.map((column) => column.default),
      [`x'00ff'`, `_utf8mb4 x'f09f98803f'`, `'?'`],
    );
  });

  test('finds tables of other case on a server that ignores case', async () => {
    const lower = await startTestServer({ after }, { args: ['--lower-case-table-names=1'] });
    const schema = await makeSchema(lower, ['CREATE TABLE Users (a int)'], 'mixed');

    const reader = await lower.connect();
    const { objects } = await readSchema(reader, schema, { tables: ['USERS'] });

    assert.deepEqual([...objects.keys()], ['table:users']);
  });

  test('refuses a database that does not exist', async () => {
    await assert.rejects(readSchema(db, 'no such database'), { code: 'DATABASE_MISSING' });
  });

  test('refuses to read a view or a routine whose text the account may not see', async () => {
    const schema = await makeSchema(server, [
      'CREATE TABLE t (a int)',
      'CREATE VIEW v AS SELECT a FROM t',
    ]);
    await db.run(`CREATE USER blind@localhost`);
    await db.run(`GRANT SELECT, EXECUTE ON \`${schema}\`.* TO blind@localhost`);
    const blind = await connect({ ...server.address, user: 'blind' });

    await assert.rejects(readSchema(blind, schema), { code: 'RIGHT_MISSING', where: 'view v' });
    await db.run(`DROP VIEW \`${schema}\`.v`);
    await db.run(`CREATE PROCEDURE \`${schema}\`.pr() SELECT 1`);
    await assert.rejects(readSchema(blind, schema), {
      code: 'RIGHT_MISSING',
      where: 'procedure pr',
    });
    await blind.close();
  });
});
