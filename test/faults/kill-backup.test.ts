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
import { type Kill, runProgram } from '../support/backup/child.ts';
import { type Killable, makeKillable } from '../support/backup/killable.ts';
import { assertOftenHit, killsInCi, makeRandom, noteFault } from '../support/kill.ts';
import { startTestServer } from '../support/server.ts';

const server = await startTestServer({ after }, { durable: 'full' });
const { address } = server;
const database = 'killed';
const kinds = [
  ...['backup', 'proof', 'restore', 'swap', 'server in backup', 'server in restore'],
  ...['restore, twice', 'scratch server in proof', 'restore in place, twice'],
] as const;
const seed = Number(process.env['FAULT_SEED'] ?? 20_260_117);

describe('kill -9 at random moments of backup, proof and restore', () => {
  const dir = makeBackupDir({ after });
  let site: Killable;
  /** How long each takes here and now, so that the moments lie all over it. */
  let takeMs: number;
  let restoreMs: number;
  /** How many of them met a run that was under way. */
  const tally = { hit: 0, tried: 0 };

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

  /** Gives whether the program noticed. */
  async function killServer(args: readonly string[], afterMs: number): Promise<boolean> {
    let killed = Promise.resolve();
    const { code } = await runProgram(args, {}, () => {
      killed = sleep(afterMs).then(() => server.kill9());
    });
    await killed;
    await server.start();
    return code !== 0;
  }

  /** As a part of the time of a backup; of the scratch server from the moment when it is there. */
  function momentOf(kind: string, random: number): number {
    if (kind.startsWith('scratch server')) return random * 0.3;
    return kind.endsWith('proof') ? 0.4 + random * 0.5 : random;
  }

  async function strike(args: readonly string[], kill: Kill): Promise<boolean> {
    const { hit, signal, code } = await runProgram(args, kill);
    return hit && (signal === 'SIGKILL' || code !== 0);
  }

  async function tryKill(kind: (typeof kinds)[number], random: () => number): Promise<boolean> {
    const { takeArgs, restoreArgs, stateFile } = site;
    if (/(?:backup|proof)$/.test(kind)) {
      const afterMs = momentOf(kind, random()) * takeMs;
      const victim = kind.startsWith('scratch server') ? { victim: 'scratch server' as const } : {};
      const hit = kind.startsWith('server')
        ? await killServer(takeArgs, afterMs)
        : await strike(takeArgs, { afterMs, ...victim });
      await assertBackedUp();
      return hit;
    }
    const changed = await site.change();
    const isSwapping = () =>
      existsSync(stateFile) && readFileSync(stateFile, 'utf8').includes('"swapping"');
    if (kind === 'restore in place, twice') {
      // Neither old nor new in between, and the next one finishes.
      let hits = 0;
      for (const _ of [1, 2]) {
        if (await strike(site.replaceArgs, { afterMs: random() * restoreMs })) hits++;
      }
      await site.finish('in place');
      return hits > 0;
    }
    const afterMs = random() * restoreMs;
    let hit: boolean;
    if (kind === 'server in restore') hit = await killServer(restoreArgs, afterMs);
    else if (kind === 'swap')
      hit = await strike(restoreArgs, { afterMs: random() * 80, onceTrue: isSwapping });
    else hit = await strike(restoreArgs, { afterMs });
    if (kind === 'restore, twice') await strike(restoreArgs, { afterMs: random() * restoreMs });
    await site.assertNotMixed(changed);
    await site.finish();
    return hit;
  }

  for (let nth = 1; nth <= killsInCi(24); nth++) {
    const kind = kinds[nth % kinds.length]!;
    test(`${kind}, moment ${nth} of seed ${seed}: exactly old or new, and no half set`, async () => {
      const hit = await tryKill(kind, makeRandom(seed + nth));
      tally.tried++;
      if (hit) tally.hit++;
      // It was over sooner than the first one, which was slow: the next moments lie closer.
      else if (/^(?:server in )?(?:backup|proof)$/.test(kind)) takeMs *= 0.8;
      else if (kind !== 'swap') restoreMs *= 0.8;
      noteFault({
        scenario: `kill: ${kind}`,
        disturbed: 'killed',
        hit,
        outcome: 'as it must be',
      });
    });
  }

  test('some of these runs were hit before their end', () => assertOftenHit(tally));
});

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}
