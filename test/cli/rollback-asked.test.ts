/** The question of `rollback` on a terminal: what is shown, and what may happen before the answer. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { makeSite, type Site, until } from '../support/deploy.ts';
import { findLeftovers, takePicture } from '../support/picture.ts';
import { type Cleanup, startTestServer } from '../support/server.ts';
import { cities, openShop } from '../support/shop.ts';

const server = await startTestServer({ after });

const notes = {
  '0.3.0/0003_notes.up.sql': 'CREATE TABLE note (id INT PRIMARY KEY);\n',
  '0.3.0/0003_notes.down.sql': 'DROP TABLE note;\n',
};

async function openNotes(t: Cleanup) {
  const site = await makeSite(t, server);
  const db = await openShop(site);
  for (const files of [cities, notes]) {
    await site.write(files);
    const ended = await site.deploy(['up']);
    assert.equal(ended.code, 0, ended.stderr);
  }
  return { site, db, before: await takePicture(db, site.database) };
}

/** Starts a command on a terminal, which `script` makes, and waits until it asks; `answer` types. */
async function ask(site: Site, args: readonly string[]) {
  const keyboard = path.join(await mkdtemp(path.join(site.dir, 'terminal-')), 'keyboard');
  execFileSync('mkfifo', [keyboard]);
  const typed = `exec script -qec "$*" /dev/null <>'${keyboard}' >&2`;
  const run = site.start(args, { TERM: 'dumb' }, ['sh', '-c', typed, 'sh']);
  await until('it asks', () => {
    assert.equal(run.child.exitCode, null, run.stderr());
    return run.stderr().includes('Type yes to go on: ');
  });
  const shown = run.stderr();
  const answer = async (word: string) => {
    await writeFile(keyboard, `${word}\n`);
    return run.ended;
  };
  return { shown, answer };
}

describe('deploy rollback on a terminal', () => {
  test('shows the plan and that nothing has been changed yet; no leaves it at that, yes goes back', async (t) => {
    const { site, db, before } = await openNotes(t);
    const sets = await readdir(site.backupDir);

    const first = await ask(site, ['rollback', '--to-version', '0.1.0']);

    assert.match(first.shown, /rollback, 0\.3\.0 → 0\.1\.0/);
    assert.match(first.shown, /revert 0003 notes: .*\r\n.*DROP TABLE note {2}\[removes/);
    assert.match(first.shown, /revert 0002 cities: /);
    // Not how to do it: that is what the answer decides.
    assert.match(first.shown, /\r\nnothing has been changed yet\r\n\r\nType yes to go on: $/);
    assert.deepEqual(await takePicture(db, site.database), before);
    assert.deepEqual(await findLeftovers(db, site), []);
    const no = await first.answer('no');
    assert.equal(no.code, 13, no.stderr);
    assert.match(no.stderr, /\(NOT_CONFIRMED, exit 13\)/);
    assert.deepEqual(await takePicture(db, site.database), before);
    assert.deepEqual(await findLeftovers(db, site), []);
    assert.deepEqual(await readdir(site.backupDir), sets);
    const second = await ask(site, ['rollback', '--steps', '1']);
    const yes = await second.answer('yes');
    assert.equal(yes.code, 0, yes.stderr);
    assert.equal((await db.query("SHOW TABLES LIKE 'note'")).length, 0);
    assert.deepEqual(await findLeftovers(db, site), []);
  });

  test('yes does only what was shown: after another run has gone back meanwhile, exit 13', async (t) => {
    const { site, db } = await openNotes(t);
    const { shown, answer } = await ask(site, ['rollback', '--steps', '1']);
    const other = await site.deploy(['rollback', '--steps', '1', '--yes']);
    assert.equal(other.code, 0, other.stderr);
    const after = await takePicture(db, site.database);

    const ended = await answer('yes');

    assert.doesNotMatch(shown, /cities/);
    assert.equal(ended.code, 13, ended.stderr);
    assert.match(ended.stderr, /the database has changed since this was planned/);
    assert.match(ended.stderr, /\(NOT_CONFIRMED, exit 13\)/);
    assert.deepEqual(await takePicture(db, site.database), after);
    assert.deepEqual(await findLeftovers(db, site), []);
  });
});
