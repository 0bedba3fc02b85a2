import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { changeCreate } from '../../../src/backup/object-statements.ts';
import { disabledOnce } from '../../../src/backup/put-events.ts';
import { literal } from '../../../src/database/literal.ts';

describe('disabledOnce', () => {
  test('disables an enabled event AT one time, and changes nothing else of its text', () => {
    const head =
      "CREATE DEFINER=`ENABLE`@`%` EVENT `ENABLE` ON SCHEDULE AT '2030-01-01 00:00:00' ON COMPLETION NOT PRESERVE";
    const tail = "COMMENT 'ENABLE' DO ALTER EVENT x ENABLE";
    assert.equal(disabledOnce(`${head} ENABLE ${tail}`), `${head} DISABLE ${tail}`);
  });

  test('leaves one that repeats or is disabled as it is', () => {
    for (const text of [
      'CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY ON COMPLETION PRESERVE ENABLE DO SELECT 1',
      "CREATE EVENT `e` ON SCHEDULE AT '2030-01-01 00:00:00' DISABLE DO ALTER EVENT x ENABLE",
      "CREATE EVENT `e` ON SCHEDULE AT '2030-01-01 00:00:00' DISABLE ON SLAVE DO SELECT 1",
    ])
      assert.equal(disabledOnce(text), text);
  });
});

describe('changeCreate', () => {
  test('changes the CREATE also where it stands in a text literal', () => {
    for (const create of ["CREATE EVENT 'ä'", "CREATE EVENT 'ä\\'"]) {
      const statements = ['SET NAMES utf8mb4', `SET @deploy_text=${literal(create)}`, create];
      assert.deepEqual(
        changeCreate(statements, (text) => `${text}!`),
        ['SET NAMES utf8mb4', `SET @deploy_text=${literal(`${create}!`)}`, `${create}!`],
      );
    }
  });
});
