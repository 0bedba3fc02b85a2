/**
 * A process that takes or restores a backup, for tests that kill it:
 * `node program.ts take|restore|replace SOCKET DATABASE DIR [SET STATE_FILE]`; `replace`
 * restores in place.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findSet } from '../../../src/backup/list.ts';
import type { RestoreState } from '../../../src/backup/restore.ts';
import { makeSocketAddress } from '../../../src/scratch/server.ts';
import { restore, take } from './backups.ts';

const [what, socket = '', database = '', dir = '', setName = '', stateFile = ''] =
  process.argv.slice(2);
const address = makeSocketAddress(socket);
process.stdout.write('started\n');

if (what === 'take') {
  await take(address, database, dir);
} else {
  const set = await findSet(dir, setName);
  const saved = existsSync(stateFile)
    ? (JSON.parse(readFileSync(stateFile, 'utf8')) as RestoreState)
    : null;
  await restore(address, database, set, {
    saved,
    how: what === 'replace' ? 'in place' : 'staged',
    save: async (state) => {
      writeFileSync(join(dir, 'state.new'), JSON.stringify(state));
      renameSync(join(dir, 'state.new'), stateFile);
    },
  });
}
