import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { ServerAddress } from '../../src/config/config.ts';
import { connect, type Db, withConnection } from '../../src/database/connect.ts';
import { quoteNameText } from '../../src/database/identifier.ts';
import { findBinaries } from '../../src/scratch/binaries.ts';
import { makeInstance } from '../../src/scratch/instance.ts';
import { launchServer, type RunningServer } from '../../src/scratch/launch.ts';
import { type ServerOptions, serverOptions } from '../../src/scratch/options.ts';
import { makeSocketAddress, type Scratch } from '../../src/scratch/server.ts';
import { testTmp } from './tmp.ts';

export type TestServerOptions = ServerOptions & {
  /** `loopback`: also listen on 127.0.0.1 at a free port, for tests that need host and port. */
  readonly tcp?: 'loopback';
  /** Another server than this machine's, see `mariadb-versions.ts`. */
  readonly mariadbd?: string;
  /** Further arguments of `mariadbd`, e.g. `--general-log`. */
  readonly args?: readonly string[];
};

/**
 * A long fault run has a hundred databases and connections on one server. One whose table definitions no
 * longer fit reads the AUTO_INCREMENT of a table that it forgot anew, which gives other ids.
 */
const roomy = ['--max-connections=2000', '--table-definition-cache=4000'];

/** A real MariaDB of this test file alone. */
export type TestServer = {
  /** root through the Unix socket, without password; the same over every restart. */
  readonly address: ServerAddress;
  /** Only with `tcp: 'loopback'`. */
  readonly tcpPort: number | undefined;
  /** The address over TCP for an account. Needs `tcp: 'loopback'`. */
  tcpAddress(user: string, password: string): ServerAddress;
  readonly scratch: Scratch;
  /** Makes an empty database and gives its name; without a name, a new one each time. */
  createDatabase(name?: string, options?: DatabaseOptions): Promise<string>;
  /** A connection as root, closed when the test ends. */
  connect(database?: string): Promise<Db>;
  /** Ends the server in an orderly way and starts it again on the same data. */
  restart(): Promise<void>;
  /** Kills the server as a crash would. Its data stays; `start` runs it again. */
  kill9(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
};

export type DatabaseOptions = { readonly charset?: string; readonly collation?: string };

/** What a test (`t`) or a file (`{ after }` of node:test) offers for cleaning up. */
export type Cleanup = { after(fn: () => Promise<void>): void };

/** Folder shared by all test files of this user: the template stays there, so that a server starts at once. */
export const testScratchDir = join(testTmp, `deploy-test-${userInfo().uid}`);

/** Starts a server that ends with the test or file. `DEPLOY_TEST_MARIADBD` may name another mariadbd. */
export async function startTestServer(
  t: Cleanup,
  options: TestServerOptions = {},
): Promise<TestServer> {
  mkdirSync(testScratchDir, { recursive: true, mode: 0o700 });
  const binaries = await findBinaries(options.mariadbd ?? process.env['DEPLOY_TEST_MARIADBD']);
  const sized = { bufferPoolMb: 32, ...options };
  const instance = await makeInstance({ ...sized, dir: testScratchDir }, binaries);
  const tcpPort = options.tcp === 'loopback' ? await findFreePort() : undefined;
  const args = [
    ...serverOptions(instance, sized),
    ...(tcpPort === undefined
      ? ['--skip-networking']
      : ['--bind-address=127.0.0.1', `--port=${tcpPort}`]),
    ...roomy,
    ...(options.args ?? []),
  ];
  const address = makeSocketAddress(instance.socketPath);
  const open = new Set<Db>();
  let counter = 0;
  let server: RunningServer = await launchServer(instance, args);

  async function stop(): Promise<void> {
    for (const db of open) db.destroy();
    open.clear();
    await server.end('SIGKILL');
    instance.remove();
  }
  async function start(): Promise<void> {
    server = await launchServer(instance, args);
  }
  t.after(stop);

  return {
    address,
    tcpPort,
    tcpAddress(user, password) {
      if (tcpPort === undefined) throw new Error('start this server with tcp: loopback');
      return { host: '127.0.0.1', port: tcpPort, socketPath: null, user, password };
    },
    scratch: {
      address,
      get pid() {
        return server.pid;
      },
      dir: instance.dir,
      serverVersion: binaries.serverVersion,
      get ended() {
        return server.ended;
      },
      stop,
      kill: (signal) => server.kill(signal),
    },
    async createDatabase(name = `test_${process.pid}_${++counter}`, database = {}) {
      const { charset = 'utf8mb4', collation = 'utf8mb4_unicode_ci' } = database;
      await withConnection(address, {}, (db) =>
        db.run(
          `CREATE DATABASE ${quoteNameText(name)} CHARACTER SET ${charset} COLLATE ${collation}`,
        ),
      );
      return name;
    },
    async connect(database) {
      const db = await connect(address, database === undefined ? {} : { database });
      open.add(db);
      return db;
    },
    async restart() {
      await server.end('SIGTERM');
      await start();
    },
    kill9: () => server.end('SIGKILL'),
    start,
    stop,
  };
}

/** A port of 127.0.0.1 that nobody listens on. */
function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
