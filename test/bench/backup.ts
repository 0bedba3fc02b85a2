/**
 * Taking, proving and restoring a backup of some hundred megabytes, against `mariadb-dump`,
 * `mariadb` and myloader in the same run: `npm run bench -- backup [MILLION_ROWS [ROUNDS]]`.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { loaderCount, loadTables } from '../../src/backup/load.ts';
import type { BackupSet } from '../../src/backup/manifest.ts';
import { proveSet } from '../../src/backup/prove.ts';
import { openSource } from '../../src/backup/source.ts';
import { writeAllRows } from '../../src/backup/write-rows.ts';
import { writeSetFiles } from '../../src/backup/write-set.ts';
import { connect, type Db } from '../../src/database/connect.ts';
import { startScratch } from '../../src/scratch/server.ts';
import { contentsOf, makeLog, restore, take } from '../support/backup/backups.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { type Bench, type BenchContext, median, timed } from './frame.ts';

export const bench: Bench = {
  name: 'backup',
  title: 'Taking, proving and restoring a backup',
  run,
};

const SOURCE = 'shop';
const TARGET = 'target';

async function run(context: BenchContext) {
  const millions = Number(context.args[0] ?? 4);
  const rounds = Number(context.args[1] ?? 3);
  const source = await startTestServer(context, { bufferPoolMb: 1024 });
  // As a server that nobody tuned: durable, and its pool is smaller than the data.
  const plain = await startTestServer(context, { durable: 'full', bufferPoolMb: 128 });
  context.say(`filling ${millions} million rows`);
  await source.createDatabase(SOURCE);
  const db = await source.connect(SOURCE);
  await fill(db, millions * 1e6);
  const paths = { dump: join(context.dir, 'dump.sql'), dir: join(context.dir, 'sets') };
  const times = new Map<string, number[]>();
  const measure = async (name: string, work: () => unknown) => {
    const ms = await timed(work);
    times.set(name, [...(times.get(name) ?? []), ms]);
    context.say(`${name}: ${(ms / 1000).toFixed(1)} s`);
  };
  for (let round = 0; round < rounds; round++) {
    await measureTaking(source, paths, measure);
    const set = await measureProving(source, paths, measure);
    if (round === 0) await measureRestoring(plain, paths, set, measure);
  }
  return makeTable(times, db);
}

type Paths = { readonly dump: string; readonly dir: string };
type Measure = (name: string, work: () => unknown) => Promise<void>;

async function measureTaking(server: TestServer, { dump }: Paths, measure: Measure): Promise<void> {
  const options = `--no-defaults --socket=${server.address.socketPath} --user=root --single-transaction --hex-blob`;
  await measure(DUMP, () => shell(`mariadb-dump ${options} ${SOURCE} | zstd -1 -q > ${dump}.zst`));
  await shell(`mariadb-dump ${options} ${SOURCE} > ${dump}`);
  const write = async (hashing: 'with hashes' | 'without') => {
    const dir = `${dump}.set`;
    mkdirSync(dir);
    const log = makeLog();
    const opened = await openSource({ address: server.address, database: SOURCE, log });
    if (hashing === 'with hashes') await writeSetFiles(dir, opened, { database: SOURCE });
    else await writeAllRows(dir, opened, { onProgress: undefined, signal: undefined });
    await opened.close();
    rmSync(dir, { recursive: true });
  };
  await measure('the files of a set', () => write('without'));
  await measure('the files of a set, and hashes', () => write('with hashes'));
}

async function measureProving(
  server: TestServer,
  { dump, dir }: Paths,
  measure: Measure,
): Promise<BackupSet> {
  const scratchDir = join(dir, '../scratch');
  const target = await startScratch({ dir: scratchDir });
  try {
    const client = `mariadb --no-defaults --socket=${target.address.socketPath} --user=root`;
    await shell(`${client} -e 'CREATE DATABASE ${TARGET}'`);
    await measure(LOAD, () => shell(`${client} ${TARGET} < ${dump}`));
  } finally {
    await target.stop();
  }
  const set = await take(server.address, SOURCE, dir, { scratchDir });
  const { proof } = set.manifest;
  await measure('proof: restored and compared', () =>
    proveSet({ set, scratchDir, scratchVariables: {}, log: makeLog() }),
  );
  if (proof === null) throw new Error('the set was not proven');
  return set;
}

async function measureRestoring(
  plain: TestServer,
  { dump }: Paths,
  set: BackupSet,
  measure: Measure,
): Promise<void> {
  const { address } = plain;
  const options = `--socket=${address.socketPath} --user=root`;
  const fresh = async () => {
    const db = await plain.connect();
    await db.run(`DROP DATABASE IF EXISTS ${TARGET}`);
    await db.run(`CREATE DATABASE ${TARGET} CHARACTER SET utf8mb4`);
  };
  await fresh();
  await measure(PLAIN_LOAD, () => shell(`mariadb --no-defaults ${options} ${TARGET} < ${dump}`));
  await fresh();
  await measure('the loading of a restore', () => load(plain, set));
  await plain.createDatabase(SOURCE);
  await measure('restore: staged, compared, swapped', () => restore(address, SOURCE, set));
  await contentsOf(address, SOURCE);
  const dumped = `${dump}.my`;
  await shell(
    `mydumper ${options} -B ${SOURCE} -t 4 -c -o ${dumped} -v 0 --trx-consistency-only || true`,
  );
  await fresh();
  await measure('myloader, four threads', () =>
    shell(`myloader ${options} -B ${TARGET} -t 4 -d ${dumped} -v 0`),
  );
}

/** What of a restore `mariadb < dump.sql` and myloader do. */
async function load({ address }: TestServer, set: BackupSet): Promise<void> {
  const dbs: Db[] = [];
  while (dbs.length < loaderCount(set)) dbs.push(await connect(address, { database: TARGET }));
  await loadTables({ dbs, set, code: 'RESTORE_FAILED' });
  for (const db of dbs) await db.close();
}

const DUMP = 'mariadb-dump into zstd -1';
const LOAD = 'mariadb < dump.sql, scratch server';
const PLAIN_LOAD = 'mariadb < dump.sql, untuned server';

const PEERS: Readonly<Record<string, string>> = {
  'the files of a set': DUMP,
  'the files of a set, and hashes': DUMP,
  'proof: restored and compared': LOAD,
  'the loading of a restore': PLAIN_LOAD,
  'restore: staged, compared, swapped': PLAIN_LOAD,
  'myloader, four threads': PLAIN_LOAD,
};

async function makeTable(times: ReadonlyMap<string, readonly number[]>, db: Db) {
  const size = await db.one<{ mib: string; rows: string }>(
    `SELECT ROUND(SUM(data_length) / 1048576) AS mib, ROUND(SUM(table_rows) / 1e6, 1) AS \`rows\`
     FROM information_schema.tables WHERE table_schema = '${SOURCE}'`,
  );
  const rows = [...times].map(([name, values]) => {
    const peer = PEERS[name];
    const ratio = peer === undefined ? '' : (median(values) / median(times.get(peer)!)).toFixed(2);
    return [name, (median(values) / 1000).toFixed(1), ratio];
  });
  const peakMb = Math.round(process.resourceUsage().maxRSS / 1024);
  return {
    columns: ['what', 'seconds', 'of its peer'],
    rows,
    notes: [
      `${size?.rows} million rows in four tables with secondary and foreign keys, ${size?.mib} MiB without keys. ` +
        'Medians; the two restores into the untuned server and myloader run once. The untuned server has the ' +
        'default durability and a pool of 128 MiB.',
      `Highest memory of this process, which is the tool in all of its work: ${peakMb} MiB.`,
      'Aims: files ≤ 1.0 and with hashes ≤ 1.6 of the dump; proof ≤ 0.8 of the load; restore ≤ 0.25 of the ' +
        'load and not slower than myloader.',
    ],
    versions: { myloader: versionOf('myloader'), zstd: versionOf('zstd') },
  };
}

async function fill(db: Db, rows: number): Promise<void> {
  const [users, items, logs] = [0.1, 0.4, 0.3].map((share) => Math.round(share * rows)) as [
    number,
    number,
    number,
  ];
  for (const statement of [
    `CREATE TABLE users (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, name VARCHAR(60), email VARCHAR(80), token CHAR(32),
      created DATETIME, UNIQUE KEY (email), KEY (token), KEY (name))`,
    `CREATE TABLE items (id BIGINT AUTO_INCREMENT PRIMARY KEY, user_id INT UNSIGNED NOT NULL, code CHAR(32) NOT NULL, amount DECIMAL(12,2),
      note VARCHAR(200), at DATETIME, KEY (user_id), KEY (code), KEY (at), FOREIGN KEY (user_id) REFERENCES users (id))`,
    `CREATE TABLE logs (id BIGINT AUTO_INCREMENT PRIMARY KEY, item_id BIGINT, kind TINYINT, body TEXT, digest BINARY(16),
      KEY (item_id), KEY (kind, digest), FOREIGN KEY (item_id) REFERENCES items (id))`,
    'CREATE TABLE tags (item_id BIGINT NOT NULL, tag VARCHAR(20) NOT NULL, PRIMARY KEY (item_id, tag), KEY (tag))',
    'SET foreign_key_checks = 0, unique_checks = 0',
    `INSERT INTO users SELECT seq, CONCAT('name ', LEFT(MD5(seq), 8)), CONCAT(MD5(seq * 3), '@example.org'), MD5(seq * 7), '2020-01-01' + INTERVAL seq SECOND FROM seq_1_to_${users}`,
    `INSERT INTO items SELECT seq, 1 + MOD(seq * 7919, ${users}), MD5(seq), MOD(seq, 99999) / 7, CONCAT(MD5(seq + 1), ' a note ', MD5(seq + 2)), '2020-01-01' + INTERVAL MOD(seq * 31, 9999999) SECOND FROM seq_1_to_${items}`,
    `INSERT INTO logs SELECT seq, 1 + MOD(seq * 104729, ${items}), MOD(seq, 9), CONCAT('body ', REPEAT(MD5(seq), 4 + MOD(seq, 5))), UNHEX(MD5(seq * 5)) FROM seq_1_to_${logs}`,
    `INSERT INTO tags SELECT 1 + MOD(seq, ${items}), CONCAT('tag', seq DIV ${items}, '-', MOD(seq, 37)) FROM seq_1_to_${rows - users - items - logs}`,
    'ANALYZE TABLE users, items, logs, tags',
  ])
    await db.run(statement);
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

function versionOf(program: string): string {
  return execFileSync(program, ['--version'], { encoding: 'utf8' }).trim().split('\n')[0] ?? '';
}
