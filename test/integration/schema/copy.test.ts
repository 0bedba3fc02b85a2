import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import sql, { raw } from 'sql-template-tag';
import { withConnection } from '../../../src/database/connect.ts';
import { quoteName, quoteNameText } from '../../../src/database/identifier.ts';
import { compareSchemas } from '../../../src/schema/compare.ts';
import { copyStructure } from '../../../src/schema/copy.ts';
import { changedObjects, fingerprintSchema } from '../../../src/schema/fingerprint.ts';
import { readSchema } from '../../../src/schema/read.ts';
import { makeSchema } from '../../support/schema/make.ts';
import { tortureSchema } from '../../support/schema/torture.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });
const db = await server.connect();
const torture = await makeSchema(server, tortureSchema, 'app`s "x"');

describe('copyStructure', () => {
  async function copy(source: string, name: string): Promise<readonly string[]> {
    const target = await server.connect();
    const { warnings } = await copyStructure(db, source, target, name);
    return warnings;
  }

  test('a copy of every construct has the fingerprints of the original', async () => {
    const warnings = await copy(torture, 'torture copy');

    const original = await readSchema(db, torture);
    const copied = await readSchema(db, 'torture copy');
    assert.deepEqual(warnings, []);
    assert.deepEqual(copied, original);
    assert.deepEqual(changedObjects(fingerprintSchema(original), fingerprintSchema(copied)), []);
    assert.deepEqual(compareSchemas(original, copied), []);
    assert.ok(original.objects.size >= 60, `only ${original.objects.size} objects`);
  });

  test('a copy of a copy has them, too', async () => {
    await copy(torture, 'first');
    await copy('first', 'second');

    assert.deepEqual(await readSchema(db, 'second'), await readSchema(db, torture));
  });

  test('the server shows the same text for every object of a copy', async () => {
    await copy(torture, 'shown');

    const { objects } = await readSchema(db, torture);
    const reader = await server.connect();
    for (const object of objects.values()) {
      // A trigger is shown as it was typed, with schema and order in it.
      if (object.kind === 'trigger') continue;
      const show = async (schema: string) => {
        await reader.run(sql`USE ${quoteName(schema)}`);
        const row = await reader.one(
          sql`SHOW CREATE ${raw(object.kind)} ${quoteName(object.name)}`,
        );
        const text = Object.values(row ?? {}).join('\n');
        // Bodies keep the schema that they name.
        return [torture, 'shown'].reduce(
          (rest, name) => rest.replaceAll(`${quoteNameText(name)}.`, ''),
          text,
        );
      };
      assert.equal(await show('shown'), await show(torture));
    }
  });

  test('an enabled event is disabled in the copy', async () => {
    const source = await makeSchema(server, [
      'CREATE EVENT e ON SCHEDULE EVERY 1 DAY ENABLE DO SELECT 1',
    ]);

    await copy(source, 'events');

    const { objects } = await readSchema(db, 'events');
    assert.equal(objects.get('event:e')?.kind, 'event');
    assert.match(JSON.stringify(objects.get('event:e')), /"status":"DISABLED"/);
  });

  test('an invalid view is left out with a warning, and what does not need it is copied', async () => {
    const source = await makeSchema(server, [
      'CREATE TABLE t (a int)',
      'CREATE TABLE gone (a int)',
      'CREATE VIEW broken AS SELECT * FROM gone',
      'CREATE VIEW a_needs_whole AS SELECT 1 AS a',
      'CREATE VIEW a_needs_broken AS SELECT * FROM broken',
      'DROP TABLE gone',
    ]);

    const warnings = await copy(source, 'invalid');

    assert.equal(warnings.length, 2);
    assert.match(
      warnings.join('\n'),
      /view broken is not valid: .*gone.*\(1146 ER_NO_SUCH_TABLE\)/,
    );
    const { objects } = await readSchema(db, 'invalid');
    assert.deepEqual([...objects.keys()], ['table:t', 'view:a_needs_whole']);
  });

  test('the sessions are put back', async () => {
    const target = await server.connect('mysql');
    await target.run(`SET NAMES latin1, sql_mode='ANSI_QUOTES', time_zone='+05:00'`);
    const settings = `SELECT @@sql_mode AS m, @@time_zone AS z, @@character_set_client AS c,
      @@collation_connection AS k, @@foreign_key_checks AS f, @@innodb_strict_mode AS s, DATABASE() AS d`;
    const beforeCopy = await target.one(settings);

    await copyStructure(db, torture, target, 'session');

    assert.deepEqual(await target.one(settings), beforeCopy);
  });

  test('what cannot be created is named', async () => {
    const source = await makeSchema(server, ['CREATE PROCEDURE pr() SELECT 1']);
    await db.run('CREATE USER maker@localhost');
    await db.run('GRANT CREATE ON refused.* TO maker@localhost');

    const copied = withConnection({ ...server.address, user: 'maker' }, {}, (target) =>
      copyStructure(db, source, target, 'refused'),
    );

    await assert.rejects(copied, {
      code: 'QUERY_FAILED',
      where: 'procedure pr',
      message: 'the procedure pr could not be copied',
    });
  });

  test('a schema that is there already is not touched', async () => {
    const source = await makeSchema(server, ['CREATE TABLE t (a int)']);
    await makeSchema(server, ['CREATE TABLE mine (a int)'], 'taken');

    await assert.rejects(copy(source, 'taken'), { errno: 1007 });

    assert.deepEqual([...(await readSchema(db, 'taken')).objects.keys()], ['table:mine']);
  });

  test('members of an ENUM that no text of the server shows are a warning', async () => {
    const source = await makeSchema(server, [`CREATE TABLE t (a enum('😀','b') DEFAULT '😀')`]);

    assert.deepEqual(await copy(source, 'members'), [
      'table t: members of a that have a ? may be another character',
    ]);
  });

  test('both schemas may be reached through one connection', async () => {
    const one = await server.connect();

    await copyStructure(one, torture, one, 'one connection');

    assert.deepEqual(await readSchema(one, 'one connection'), await readSchema(db, torture));
  });
});
