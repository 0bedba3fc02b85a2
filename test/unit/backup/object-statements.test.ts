import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ObjectScript, objectStatements } from '../../../src/backup/object-statements.ts';

const script: ObjectScript = {
  create: 'CREATE PROCEDURE p() SELECT 1',
  sqlMode: 'ANSI_QUOTES',
  ...{ client: 'utf8mb4', connection: 'utf8mb4_bin', databaseCollation: 'utf8mb4_bin' },
  ...{ timeZone: null, createdAt: null },
};

test('an object is made in its own sql_mode and character sets', () => {
  assert.deepEqual(objectStatements(script, 'utf8mb4_bin'), [
    'SET NAMES utf8mb4',
    "SET SESSION sql_mode='ANSI_QUOTES', time_zone='+00:00', timestamp=DEFAULT",
    'SET SESSION character_set_client=utf8mb4, collation_connection=utf8mb4_bin',
    'CREATE PROCEDURE p() SELECT 1',
  ]);
});

test('an object of another default collation gets that of the database for a moment', () => {
  const statements = objectStatements(
    { ...script, databaseCollation: 'latin1_bin' },
    'utf8mb4_bin',
  );
  assert.equal(statements.at(0), 'ALTER DATABASE COLLATE latin1_bin');
  assert.equal(statements.at(-1), 'ALTER DATABASE COLLATE utf8mb4_bin');
});

test('an event is made in its time zone and at its time', () => {
  const event = { ...script, timeZone: 'SYSTEM', createdAt: '1577836800' };
  assert.match(
    objectStatements(event, 'utf8mb4_bin')[1] ?? '',
    /time_zone='SYSTEM', timestamp=1577836800$/,
  );
});

test('a text beyond ASCII of another character set is converted by the server', () => {
  const latin = {
    ...script,
    client: 'latin1',
    connection: 'latin1_bin',
    create: "CREATE PROCEDURE p() SELECT 'ä'",
  };
  assert.deepEqual(objectStatements(latin, 'utf8mb4_bin').slice(2), [
    "SET @deploy_text='CREATE PROCEDURE p() SELECT ''ä'''",
    'SET SESSION character_set_client=latin1, collation_connection=latin1_bin',
    'EXECUTE IMMEDIATE @deploy_text',
  ]);
});
