/**
 * kill -9 of the deployer, of the server and of the scratch server at random moments of backup, proof
 * and restore. The same seed gives the same kind of kill and the same moment.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { compareContents } from '../../src/backup/differences.ts';
import { listSets } from '../../src/backup/list.ts';
import { verifySet } from '../../src/backup/verify.ts';
import { contentsOf, makeBackupDir, take } from '../support/backup/backups.ts';
import { runProgram } from '../support/backup/child.ts';
import { type Killable, makeKillable } from '../support/backup/killable.ts';
import { killsInCi, makeRandom } from '../support/kill.ts';
import { startTestServer } from '../support/server.ts';

const server = await startTestServer({ after }, { durable: 'full' });
const { address } = server;
const database = 'killed';
const kinds = [
  ...['backup', 'proof', 'restore', 'swap', 'server in backup', 'server in restore'],
  'restore, twice',
] as const;
const seed = Number(process.env['FAULT_SEED'] ?? 20_260_117);

describe('kill -9 at random moments of backup, proof and restore', () => {
  const dir = makeBackupDir({ after });
  let site: Killable;
  /** How long each takes here and now, so that the moments lie all over it. */
  let takeMs: number;
  let restoreMs: number;

  before(async () => {
    site = await makeKillable(server, database, dir);
    takeMs = await timed(() => runProgram(site.takeArgs, {}));
    restoreMs = await timed(() => runProgram(site.restoreArgs, {}));
  });

  /** The live schema was only read, no half set has a final name, and the next backup works. */
  async function assertBackedUp(): Promise<void> {
    assert.deepEqual(compareContents(site.old, await contentsOf(address, database)), []);
    for (const { dir: path } of await listSets(dir)) await verifySet(path);
    const next = await take(address, database, dir);
    assert.deepEqual(
      readdirSync(dir).filter((name) => name.startsWith('.')),
      [],
    );
    rmSync(next.dir, { recursive: true });
  }

  async function killServer(args: readonly string[], afterMs: number): Promise<void> {
    let killed = Promise.resolve();
    await runProgram(args, {}, () => {
      killed = sleep(afterMs).then(() => server.kill9());
    });
    await killed;
    await server.start();
  }

  async function tryKill(kind: (typeof kinds)[number], random: () => number): Promise<void> {
    const { takeArgs, restoreArgs, stateFile } = site;
    switch (kind) {
      case 'backup':
        await runProgram(takeArgs, { afterMs: random() * takeMs });
        return assertBackedUp();
      case 'proof':
        // The last part of the time: the scratch server runs.
        await runProgram(takeArgs, { afterMs: (0.4 + random() * 0.6) * takeMs });
        return assertBackedUp();
      case 'server in backup':
        await killServer(takeArgs, random() * takeMs);
        return assertBackedUp();
    }
    const changed = await site.change();
    const isSwapping = () =>
      existsSync(stateFile) && readFileSync(stateFile, 'utf8').includes('"swapping"');
    if (kind === 'server in restore') await killServer(restoreArgs, random() * restoreMs);
    else if (kind === 'swap')
      await runProgram(restoreArgs, { afterMs: random() * 80, onceTrue: isSwapping });
    else await runProgram(restoreArgs, { afterMs: random() * restoreMs });
    if (kind === 'restore, twice') await runProgram(restoreArgs, { afterMs: random() * restoreMs });
    await site.assertNotMixed(changed);
    await site.finish();
  }

  for (let nth = 1; nth <= killsInCi(21); nth++) {
    const kind = kinds[nth % kinds.length]!;
    test(`${kind}, moment ${nth} of seed ${seed}: exactly old or new, and no half set`, async () => {
      await tryKill(kind, makeRandom(seed + nth));
    });
  }
});

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}
