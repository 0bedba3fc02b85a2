import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { enabledEvent } from '../../../src/backup/read-objects.ts';

describe('enabledEvent', () => {
  test('enables an event that is held, and changes nothing else of its text', () => {
    const head =
      "CREATE DEFINER=`a DISABLE ON SLAVE`@`%` EVENT `DISABLE ON SLAVE` ON SCHEDULE EVERY '1:30' HOUR_MINUTE ON COMPLETION PRESERVE";
    const body = "COMMENT 'DISABLE ON SLAVE' DO ALTER EVENT x DISABLE ON SLAVE";
    assert.equal(enabledEvent(`${head} DISABLE ON SLAVE ${body}`), `${head} ENABLE ${body}`);
  });

  test('leaves an event as it is that is enabled', () => {
    const text = "CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY ENABLE COMMENT 'x' DO SELECT 1";
    assert.equal(enabledEvent(text), text);
  });
});
