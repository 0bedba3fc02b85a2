/**
 * Taking, proving and restoring a backup of some hundred megabytes, against `mariadb-dump`,
 * `mariadb` and myloader in the same run: `npm run bench -- backup [MILLION_ROWS [ROUNDS]]`. Only the
 * dumps are repeated; a load lasts long enough to be measured once. DEPLOY_TEST_MARIADBD chooses
 * the server.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { loaderCount, loadTables } from '../../src/backup/load.ts';
import type { BackupSet } from '../../src/backup/manifest.ts';
import { openSource } from '../../src/backup/source.ts';
import { openSet } from '../../src/backup/verify.ts';
import { writeAllRows } from '../../src/backup/write-rows.ts';
import { writeSetFiles } from '../../src/backup/write-set.ts';
import type { ServerAddress } from '../../src/config/config.ts';
import { connect, type Db } from '../../src/database/connect.ts';
import { startScratch } from '../../src/scratch/server.ts';
import { makeLog } from '../support/backup/backups.ts';
import { fillShop } from '../support/backup/bench-rows.ts';
import { findMyloader, runMydumper, runMyloader } from '../support/backup/myloader.ts';
import { makeSite, type Site } from '../support/deploy.ts';
import { type PeakMemory, runMeasured } from '../support/peak-memory.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openShop } from '../support/shop.ts';
import { type Bench, type BenchContext, type BenchTable, median, timed } from './frame.ts';

export const bench: Bench = {
  name: 'backup',
  title: 'Taking, proving and restoring a backup',
  run,
};

const SOURCE = 'shop';
const TARGET = 'target';

/** What is measured, by the name in the table; the peer is what `of its peer` divides by. */
const ROWS = {
  dump: { name: 'mariadb-dump into zstd -1', peer: null, aim: '' },
  files: { name: 'the files of a set', peer: 'dump', aim: '≤ 1.0' },
  hashed: { name: 'the files of a set, and hashes', peer: 'dump', aim: '≤ 1.6' },
  scratchLoad: { name: 'mariadb < dump.sql, scratch server', peer: null, aim: '' },
  ownScratchLoad: { name: 'loading a set, scratch server', peer: 'scratchLoad', aim: '≤ 0.55' },
  proof: { name: 'proof: loaded and compared', peer: 'scratchLoad', aim: '≤ 0.8' },
  plainLoad: { name: 'mariadb < dump.sql, untuned server', peer: null, aim: '' },
  ownPlainLoad: { name: 'loading a set, untuned server', peer: 'plainLoad', aim: '≤ 0.25' },
  restore: {
    name: 'deploy restore: verified, staged, compared, swapped',
    peer: 'plainLoad',
    aim: '',
  },
  myloader: { name: 'myloader, as many threads', peer: 'plainLoad', aim: '' },
} as const;

type Name = keyof typeof ROWS;
type Times = Map<Name, number[]>;
type Measure = (name: Name, work: () => unknown) => Promise<void>;
type Shop = {
  readonly context: BenchContext;
  readonly source: TestServer;
  readonly site: Site;
  readonly dump: string;
  readonly measure: Measure;
};

async function run(context: BenchContext) {
  const millions = Number(context.args[0] ?? 4);
  const rounds = Number(context.args[1] ?? 3);
  const myloader = await findMyloader();
  const source = await startTestServer(context, { bufferPoolMb: 1024 });
  const site = await makeSite(context, source, {}, { database: SOURCE });
  await openShop(site);
  context.say(`filling ${millions} million rows`);
  await fillShop(() => source.connect(SOURCE), millions * 1e6);
  const times: Times = new Map();
  const measure: Measure = async (name, work) => {
    const ms = await timed(work);
    note(times, name, ms);
    context.say(`${ROWS[name].name}: ${(ms / 1000).toFixed(1)} s`);
  };
  const shop = { context, source, site, measure, dump: join(context.dir, 'dump.sql') };
  for (let round = 0; round < rounds; round++) await measureTaking(shop);
  const { set, peak } = await measureProving(shop, times);
  const restoring = await measureRestoring(shop, set, myloader);
  const size = await sizeOf(await source.connect(SOURCE));
  return makeTable(times, { size, rounds, peaks: [peak, restoring], myloader });
}

async function measureTaking({ source, dump, measure }: Shop): Promise<void> {
  const options = clientOptions(source.address);
  await measure('dump', () =>
    shell(`mariadb-dump ${options} ${DUMPED} | zstd -1 -q > ${dump}.zst`),
  );
  const write = async (hashing: 'with hashes' | 'without') => {
    const dir = `${dump}.set`;
    mkdirSync(dir);
    const log = makeLog();
    const opened = await openSource({ address: source.address, database: SOURCE, log });
    if (hashing === 'with hashes') await writeSetFiles(dir, opened, { database: SOURCE });
    else await writeAllRows(dir, opened, { onProgress: undefined, signal: undefined });
    await opened.close();
    rmSync(dir, { recursive: true });
  };
  await measure('files', () => write('without'));
  await measure('hashed', () => write('with hashes'));
}

/** The program takes the set, in a process of its own, so that its memory is its own. */
async function measureProving(
  { source, site, context, dump, measure }: Shop,
  times: Times,
): Promise<{ readonly set: BackupSet; readonly peak: PeakMemory }> {
  const peak = await runMeasured(['backup', 'create'], site.env);
  // The one before it is that of the empty shop.
  const name = readdirSync(site.backupDir).sort().at(-1)!;
  const set = await openSet(join(site.backupDir, name));
  note(times, 'proof', set.manifest.proof!.durationMs);
  context.say(`${ROWS.proof.name}: ${set.manifest.proof!.durationMs / 1000} s, ${peak.mb} MB`);
  await shell(`mariadb-dump ${clientOptions(source.address)} ${DUMPED} > ${dump}`);
  const target = await startScratch({ dir: join(context.dir, 'scratch') });
  try {
    await makeEmpty(target.address);
    const options = clientOptions(target.address);
    await measure('scratchLoad', () => shell(`mariadb ${options} ${TARGET} < ${dump}`));
    await makeEmpty(target.address);
    await measure('ownScratchLoad', () => load(target.address, set));
  } finally {
    await target.stop();
  }
  return { set, peak };
}

/** Into a server that nobody tuned: durable, and its pool is smaller than the data. */
async function measureRestoring(
  { context, source, site, dump, measure }: Shop,
  set: BackupSet,
  myloader: string | null,
): Promise<PeakMemory> {
  const plain = await startTestServer(context, { durable: 'full', bufferPoolMb: 128 });
  const { address } = plain;
  const options = clientOptions(address);
  await makeEmpty(address);
  await measure('plainLoad', () => shell(`mariadb ${options} ${TARGET} < ${dump}`));
  rmSync(dump);
  await makeEmpty(address);
  await measure('ownPlainLoad', () => load(address, set));
  if (myloader !== null) {
    const dumped = { dir: `${dump}.my`, threads: loaderCount(set) };
    await runMydumper({
      ...dumped,
      address: source.address,
      database: SOURCE,
      rowsPerFile: 250_000,
    });
    await makeEmpty(address);
    await measure('myloader', () => runMyloader({ ...dumped, address, database: TARGET }));
    rmSync(dumped.dir, { recursive: true });
  }
  await plain.createDatabase(SOURCE);
  let peak: PeakMemory = { mb: 0 };
  await measure('restore', async () => {
    const env = { ...site.env, DB_HOST: address.socketPath! };
    peak = await runMeasured(['restore', '--backup', set.name, '--yes'], env);
  });
  return peak;
}

/** What of a restore `mariadb < dump.sql` and myloader do. */
async function load(address: ServerAddress, set: BackupSet): Promise<void> {
  const dbs: Db[] = [];
  while (dbs.length < loaderCount(set)) {
    dbs.push(await connect(address, { database: TARGET, sendsRows: true }));
  }
  await loadTables({ dbs, set, code: 'RESTORE_FAILED' });
  for (const db of dbs) await db.close();
}

async function makeEmpty(address: ServerAddress): Promise<void> {
  const db = await connect(address);
  await db.run(`DROP DATABASE IF EXISTS ${TARGET}`);
  await db.run(`CREATE DATABASE ${TARGET} CHARACTER SET utf8mb4`);
  await db.close();
}

const DUMPED = `--single-transaction --hex-blob ${SOURCE}`;

function clientOptions({ socketPath, user }: ServerAddress): string {
  return `--no-defaults --socket=${socketPath} --user=${user}`;
}

function note(times: Times, name: Name, ms: number): void {
  times.set(name, [...(times.get(name) ?? []), ms]);
}

type Findings = {
  readonly size: { readonly mib: string; readonly rows: string } | undefined;
  readonly rounds: number;
  /** Of taking and proving, and of restoring. */
  readonly peaks: readonly [PeakMemory, PeakMemory];
  readonly myloader: string | null;
};

function sizeOf(db: Db): Promise<Findings['size']> {
  return db.one(
    `SELECT ROUND(SUM(data_length) / 1048576) AS mib, ROUND(SUM(table_rows) / 1e6, 1) AS \`rows\`
     FROM information_schema.tables WHERE table_schema = '${SOURCE}'`,
  );
}

function makeTable(times: Times, { size, rounds, peaks, myloader }: Findings): BenchTable {
  const rows = [...times].map(([name, values]) => {
    const { name: what, peer, aim } = ROWS[name];
    const ratio = peer === null ? '' : (median(values) / median(times.get(peer)!)).toFixed(2);
    return [what, (median(values) / 1000).toFixed(1), ratio, aim];
  });
  const absent = 'myloader is absent here and could not be installed: apt-get install mydumper.';
  return {
    columns: ['what', 'seconds', 'of its peer', 'aim'],
    rows,
    notes: [
      `${size?.rows} million rows in four tables with secondary and foreign keys, ${size?.mib} MiB without keys. ` +
        `The dumps are medians of ${rounds}, the others were measured once. The scratch server is the one of every proof, ` +
        'the untuned one has the default durability and a pool of 128 MiB. myloader is to be no faster than loading a set.',
      `Highest resident memory: ${peaks[0].mb} MB of \`deploy backup create\`, which takes and proves, ${peaks[1].mb} MB of ` +
        '`deploy restore`; the aim is 200 MB, whatever the size. It is that of the program itself: the servers and the ' +
        '`mariadb-dump`s that it starts are processes of their own.',
      ...(myloader === null ? [absent] : []),
    ],
    versions: myloader === null ? {} : { myloader },
  };
}

function shell(command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-o', 'pipefail', '-c', command], { stdio: ['ignore', 2, 2] });
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`exit ${code}: ${command}`)),
    );
  });
}
