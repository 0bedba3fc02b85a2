/** The sidecar under load, as it is started by `npm run health`, beside a real server. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { loadavg } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import type { Db } from '../../src/database/connect.ts';
import { makeSite, type Site, until } from '../support/deploy.ts';
import { malformedRequests } from '../support/malformed-requests.ts';
import { startTestServer } from '../support/server.ts';
import { openShop } from '../support/shop.ts';
import {
  type Bench,
  type BenchContext,
  type BenchTable,
  formatMs,
  median,
  timed,
} from './frame.ts';

const root = path.resolve(import.meta.dirname, '../..');
const mostRssMb = 120;
const aimPerSecond = 3_000;

type Sidecar = { readonly child: ChildProcess; readonly url: string };

/** The process behind `npm run health`, with its flags: npm and the shell are out of the way by then. */
async function startSidecar(context: BenchContext, site: Site): Promise<Sidecar> {
  const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  const env = {
    ...{ PATH: `${path.dirname(process.execPath)}:${process.env['PATH']}`, ...site.env },
    ...{ HEALTH_HOST: '127.0.0.1', HEALTH_PORT: '0', LOG_FORMAT: 'json' },
  };
  const child = spawn('sh', ['-c', scripts['health']!], {
    ...{ cwd: root, env, stdio: ['ignore', 'ignore', 'pipe'] },
  });
  context.after(async () => {
    child.kill('SIGTERM');
  });
  let log = '';
  child.stderr!.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  await until('the sidecar is up', () => /"url":"/.test(log));
  return { child, url: /"url":"([^"]+)"/.exec(log)![1]! };
}

/** Resident memory in MB, as `docker stats` and the kernel's OOM killer see it. */
function rssMb({ child }: Sidecar): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024;
}

/** What the process has used of a core since its start, in milliseconds. */
function cpuMs({ child }: Sidecar): number {
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
  const [user, system] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 14).map(Number);
  // In ticks of 10 ms, on every Linux that Node runs on.
  return (user! + system!) * 10;
}

type Load = {
  readonly requests: { readonly average: number; readonly total: number };
  readonly latency: { readonly p50: number; readonly p99: number };
  readonly non2xx: number;
  readonly errors: number;
};

/** `perSecond` null: as many as there is room for. */
async function load(
  { url }: Sidecar,
  peers: string,
  options: { readonly seconds: number; readonly perSecond: number | null },
): Promise<Load> {
  const program = path.join(peers, 'node_modules/.bin/autocannon');
  const rate = options.perSecond === null ? [] : ['-R', String(options.perSecond)];
  const words = [program, '-j', '-c', '20', '-d', String(options.seconds), ...rate];
  const { stdout } = await promisify(execFile)(process.execPath, [...words, `${url}/readyz`]);
  return JSON.parse(stdout) as Load;
}

async function questions(db: Db): Promise<number> {
  const row = await db.one<{ Value: string }>(`SHOW GLOBAL STATUS LIKE 'Questions'`);
  return Number(row?.Value);
}

/** Opens connections that have asked once and stay. */
async function openIdle({ url }: Sidecar, count: number): Promise<Socket[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      await new Promise((resolve, reject) => {
        socket.once('error', reject).once('data', resolve);
        socket.write('GET /livez HTTP/1.1\r\nHost: a\r\n\r\n');
      });
      return socket;
    }),
  );
}

async function probeCosts({ url }: Sidecar): Promise<{ ms: number; rounds: number }> {
  const rounds = 20;
  const env = {
    ...{ PATH: process.env['PATH'], HEALTH_PORT: new URL(url).port },
    NODE_COMPILE_CACHE: path.join(root, 'node_modules/.cache/health'),
  };
  const probe = path.join(root, 'healthcheck/probe.ts');
  const times: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    times.push(await timed(() => promisify(execFile)(process.execPath, [probe, 'ready'], { env })));
  }
  return { ms: median(times.slice(1)), rounds };
}

async function run(context: BenchContext): Promise<BenchTable> {
  const seconds = Number(context.args[0] ?? 60);
  const [loadBefore = 0] = loadavg();
  const server = await startTestServer(context);
  const site = await makeSite(context, server);
  const db = await openShop(site);
  const peers = await context.installPeers(['autocannon']);
  const sidecar = await startSidecar(context, site);
  const rows: string[][] = [];
  const failures: string[] = [];
  const check = (ok: boolean, failure: string) => {
    if (!ok) failures.push(failure);
  };
  const measure = async (name: string, perSecond: number | null) => {
    context.say(`${name}, ${seconds} s`);
    const [before, cpuBefore] = [await questions(db), cpuMs(sidecar)];
    const took = await load(sidecar, peers.dir, { seconds, perSecond });
    const cpu = ((cpuMs(sidecar) - cpuBefore) / took.requests.total) * 1000;
    // The counting itself is one.
    const queries = ((await questions(db)) - before - 1) / seconds;
    rows.push([
      ...[name, `${took.requests.average.toFixed(0)} / s`],
      ...[`${took.latency.p50} ms`, `${took.latency.p99} ms`],
      ...[`${cpu.toFixed(0)} µs`, `${queries.toFixed(2)} / s`],
      `${rssMb(sidecar).toFixed(0)} MB`,
    ]);
    check(took.non2xx + took.errors === 0, `${name}: ${took.non2xx + took.errors} bad answers`);
    check(queries <= 1, `${name}: ${queries} queries a second`);
    check(rssMb(sidecar) <= mostRssMb, `${name}: ${rssMb(sidecar)} MB`);
  };
  const other = (name: string) =>
    rows.push([name, '–', '–', '–', '–', '–', `${rssMb(sidecar).toFixed(0)} MB`]);

  await (await fetch(`${sidecar.url}/readyz`)).text();
  other('after the start');
  await measure(`/readyz, ${aimPerSecond} asked for a second`, aimPerSecond);
  await measure('/readyz, as many as possible', null);
  await measure('the same again: is memory flat', null);
  // The sidecar closes what is idle for 65 s: a slow machine may need that long for a load of 60 s.
  const idle = await openIdle(sidecar, 1_000);
  const idleSince = performance.now();
  await measure(`/readyz beside 1,000 idle connections`, aimPerSecond);
  const isOpen = idle.every(({ closed }) => !closed);
  check(isOpen || performance.now() - idleSince > 65_000, 'idle connections were closed');
  for (const socket of idle) socket.destroy();
  context.say('10,000 malformed requests');
  const { answered } = await malformedRequests(sidecar.url, 10_000);
  check(
    Object.keys(answered).every((status) => status.startsWith('4')),
    JSON.stringify(answered),
  );
  other('after 10,000 malformed requests');
  check(rssMb(sidecar) <= mostRssMb, `after malformed requests: ${rssMb(sidecar)} MB`);
  const probe = await probeCosts(sidecar);
  const ended = new Promise((resolve) => sidecar.child.once('exit', resolve));
  const stopMs = await timed(async () => {
    sidecar.child.kill('SIGTERM');
    await ended;
  });
  check(stopMs < 2_000, `stopping took ${formatMs(stopMs)}`);
  return {
    columns: ['load', 'answers', 'p50', 'p99', 'CPU each', 'queries', 'memory'],
    rows,
    versions: peers.versions,
    failures,
    notes: [
      `Aims: at least ${aimPerSecond.toLocaleString('en')} answers a second with a p99 of at most 15 ms over 60 s, at most one query a second whatever the load, at most ${mostRssMb} MB and flat. Each load took ${seconds} s, over 20 connections of loopback; the load generator and the database server shared the machine's cores with the sidecar. The load average before was ${loadBefore.toFixed(1)}: above the number of cores, answers and p99 say more of that than of the sidecar; the CPU time of an answer does not depend on it.`,
      `The probe of the image takes ${formatMs(probe.ms)} (median of ${probe.rounds}), nearly all of it the start of Node. The sidecar stops ${formatMs(stopMs)} after SIGTERM.`,
    ],
  };
}

export const bench: Bench = { name: 'sidecar', title: 'The sidecar under load', run };
