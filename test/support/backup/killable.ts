/** A database of every construct with a set of it, for tests that kill who backs it up or restores it. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Contents } from '../../../src/backup/contents.ts';
import { compareContents } from '../../../src/backup/differences.ts';
import type { BackupSet } from '../../../src/backup/manifest.ts';
import type { RestoreState } from '../../../src/backup/restore.ts';
import type { TestServer } from '../server.ts';
import { contentsOf, leftoverSchemas, restore, take, withHold } from './backups.ts';
import { fillWithTorture } from './torture.ts';

export type Killable = {
  /** What the set holds. */
  readonly old: Contents;
  /** Arguments of `runProgram`. */
  readonly takeArgs: readonly string[];
  readonly restoreArgs: readonly string[];
  /** Restores in place. */
  readonly replaceArgs: readonly string[];
  /** Where the restore keeps how far it is. */
  readonly stateFile: string;
  /** Does to the database what a migration might have done, and gives what it is then. */
  change(): Promise<Contents>;
  /** Tables and rows are all those of the set, or all the changed ones. */
  assertNotMixed(changed: Contents): Promise<void>;
  /** The next restore finishes, and leaves nothing behind. */
  finish(how?: 'staged' | 'in place'): Promise<void>;
};

const changes = [
  'SET foreign_key_checks = 0',
  'DROP TABLE IF EXISTS child, newer',
  'DROP SEQUENCE IF EXISTS `seq 1`',
  'ALTER TABLE parent ADD COLUMN IF NOT EXISTS more INT DEFAULT 1',
  'CREATE TABLE newer (id INT PRIMARY KEY, t INT)',
  'CREATE TRIGGER newer_t BEFORE INSERT ON newer FOR EACH ROW SET NEW.t = 1',
  'CREATE OR REPLACE VIEW a_top AS SELECT 1 AS one',
  'DROP PROCEDURE IF EXISTS `proc;1`',
];

/** Fills a new database and takes a set of it into `dir`. */
export async function makeKillable(
  server: TestServer,
  database: string,
  dir: string,
): Promise<Killable> {
  const { address } = server;
  await server.createDatabase(database);
  await fillWithTorture(await server.connect(database));
  const old = await contentsOf(address, database);
  const set: BackupSet = await take(address, database, dir);
  const socket = address.socketPath as string;
  const stateFile = join(dir, 'state.json');
  return {
    ...{ old, stateFile },
    takeArgs: ['take', socket, database, dir],
    restoreArgs: ['restore', socket, database, dir, set.name, stateFile],
    replaceArgs: ['replace', socket, database, dir, set.name, stateFile],
    async change() {
      rmSync(stateFile, { force: true });
      // A connection of its own: the server may have been killed since the last time.
      const db = await server.connect(database);
      for (const statement of changes) await db.run(statement);
      await db.close();
      return contentsOf(address, database);
    },
    async assertNotMixed(changed) {
      // Under the lock: the server still runs the RENAME of a client that died, half-way for others.
      const { tables } = await withHold(address, database, () => contentsOf(address, database));
      const found = JSON.stringify(tables.map(({ name, hash }) => [name, hash]));
      const sides = [old, changed].map((side) =>
        JSON.stringify(side.tables.map(({ name, hash }) => [name, hash])),
      );
      assert.ok(sides.includes(found), `neither old nor new: ${found}`);
    },
    async finish(how = 'staged') {
      const saved = existsSync(stateFile)
        ? (JSON.parse(readFileSync(stateFile, 'utf8')) as RestoreState)
        : null;
      await restore(address, database, set, { saved, how });
      assert.deepEqual(compareContents(old, await contentsOf(address, database)), []);
      assert.deepEqual(await leftoverSchemas(address, database), []);
    },
  };
}
