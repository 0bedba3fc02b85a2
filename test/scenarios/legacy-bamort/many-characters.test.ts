/** A legacy Bamort database of a large group is walked to 0.5.0. In a file of its own: it takes long. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { legacySite, stepwise } from '../../support/bamort/legacy.ts';
import { readRows } from '../../support/bamort/migrate.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });

describe('a large legacy Bamort database', () => {
  test('of 1,200 characters is walked too', async (t) => {
    const { site, db, rows } = await legacySite(t, server, 1200, 2_000);

    const ended = await site.deploy(['up', '--json'], stepwise);

    assert.equal(ended.code, 0, ended.stderr);
    const now = await readRows(db);
    assert.equal(now.get('char_chars')!.length, 1200);
    assert.equal(now.get('char_skills')!.length, rows.get('skill_skills')!.length);
  });
});
