/** A start that finds nothing to do, with Bamort as it is shipped: `npm run bench -- noop [rounds]`. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { migrationsDir } from '../support/bamort/migrate.ts';
import { makeSite, type Site } from '../support/deploy.ts';
import { masterdataDir } from '../support/masterdata.ts';
import { startTestServer } from '../support/server.ts';
import { type Bench, formatMs, formatRatio, measureInTurn, median, timed } from './frame.ts';

/** What every Node program that uses the database does at least. */
const bare = `import { createConnection } from 'mysql2/promise';
const connection = await createConnection({ socketPath: process.env.DB_HOST, user: 'root', database: process.env.DB_NAME });
await connection.query('SELECT 1');
await connection.end();
`;

/** What `docker/deploy.sh` gives Node. */
const asInImage = [
  ...['--max-semi-space-size=1', '--max-old-space-size=1024'],
  ...['--preserve-symlinks', '--preserve-symlinks-main'],
];

/** umzug with the same driver and the least storage that a table can be. */
const umzugScript = `import { createConnection } from 'mysql2/promise';
import { Umzug } from 'umzug';
const connection = await createConnection({ socketPath: process.env.DB_HOST, user: 'root', database: process.env.DB_NAME });
const umzug = new Umzug({
  migrations: { glob: ['*.sql', { cwd: process.env.FILES }], resolve: ({ name, path }) => ({ name, up: async () => connection.query('DO 0') }) },
  context: connection,
  logger: undefined,
  storage: {
    async logMigration({ name }) { await connection.query('INSERT INTO umzug_meta (name) VALUES (?)', [name]); },
    async unlogMigration({ name }) { await connection.query('DELETE FROM umzug_meta WHERE name = ?', [name]); },
    async executed() {
      await connection.query('CREATE TABLE IF NOT EXISTS umzug_meta (name varchar(200) PRIMARY KEY)');
      const [rows] = await connection.query('SELECT name FROM umzug_meta ORDER BY name');
      return rows.map(({ name }) => name);
    },
  },
});
await umzug.up();
await connection.end();
`;

/** umzug as its documentation shows it: with the storage of Sequelize. */
const sequelizeScript = `import { Sequelize } from 'sequelize';
import { SequelizeStorage, Umzug } from 'umzug';
const sequelize = new Sequelize(process.env.DB_NAME, 'root', '', { dialect: 'mysql', logging: false, dialectOptions: { socketPath: process.env.DB_HOST } });
const umzug = new Umzug({
  migrations: { glob: ['*.sql', { cwd: process.env.FILES }], resolve: ({ name }) => ({ name, up: async () => undefined }) },
  context: sequelize.getQueryInterface(),
  storage: new SequelizeStorage({ sequelize }),
  logger: undefined,
});
await umzug.up();
await sequelize.close();
`;

export const bench: Bench = {
  name: 'noop',
  title: 'A start that finds nothing to do',
  async run(context) {
    const rounds = Number(context.args[0] ?? 15);
    const peers = await context.installPeers(['umzug', 'mysql2', 'sequelize']);
    const server = await startTestServer(context);
    const site = await makeSite(context, server, {}, { migrationsDir });
    const env = {
      ...site.env,
      ...{ MASTERDATA: 'changed', MASTERDATA_DIR: masterdataDir },
      ...{ ADMIN_USER: 'admin', ADMIN_EMAIL: 'a@example.org', ADMIN_PASSWORD: 'abc-123-def' },
    };
    const installed = await site.deploy(['up'], env);
    if (installed.code !== 0) throw new Error(installed.stderr);

    const files = path.join(context.dir, 'files');
    await mkdir(files);
    for (let number = 1; number <= 12; number++) {
      await writeFile(path.join(files, `${String(number).padStart(4, '0')}_step.sql`), 'DO 0;\n');
    }
    const scripts = { bare, umzug: umzugScript, sequelize: sequelizeScript };
    for (const [name, text] of Object.entries(scripts)) {
      await writeFile(path.join(peers.dir, `${name}.mjs`), text);
    }
    const own = { DB_HOST: site.env['DB_HOST'], DB_NAME: await server.createDatabase() };
    const plain = { ...own, FILES: files };
    const cached = { NODE_COMPILE_CACHE: path.join(context.dir, 'cache') };
    const script = (name: keyof typeof scripts) => path.join(peers.dir, `${name}.mjs`);
    const main = path.resolve(import.meta.dirname, '../../src/main.ts');
    // As the Dockerfile fills the compile cache: there is no server.
    const nowhere = {
      ...cached,
      DB_HOST: '127.0.0.1',
      DB_PORT: '9',
      DB_WAIT_SECONDS: '0',
      REPORT_DIR: context.dir,
    };
    const unreachable = { ...nowhere, DB_NAME: 'none', DB_USER: 'none', DB_PASSWORD: 'none' };
    await assert.rejects(runNode([...asInImage, main, 'up'], unreachable), /SERVER_UNREACHABLE/);
    const times = await measureInTurn(rounds, {
      bare: () => timed(() => runNode([script('bare')], plain)),
      bareCached: () => timed(() => runNode([script('bare')], { ...plain, ...cached })),
      umzug: () => timed(() => runNode([script('umzug')], plain)),
      sequelize: () => timed(() => runNode([script('sequelize')], plain)),
      deploy: () => timed(() => runNode([main, 'up'], env)),
      deployCached: () => timed(() => runNode([...asInImage, main, 'up'], { ...env, ...cached })),
    });
    const base = median(times.bare);
    const row = (name: string, found: readonly number[]) => [
      name,
      formatMs(median(found)),
      formatMs(Math.min(...found)),
      formatRatio(median(found), base),
      formatRatio(median(found), median(times.umzug)),
      formatRatio(median(found), median(times.sequelize)),
    ];
    return {
      columns: [
        'process, from its start to its end',
        'median',
        'best',
        'of bare',
        'of umzug alone',
        'of umzug',
      ],
      rows: [
        row('bare: node, mysql2, SELECT 1', times.bare),
        row('bare, with a compile cache', times.bareCached),
        row('umzug alone: its storage is three queries of ours', times.umzug),
        row('umzug as it is documented, with Sequelize', times.sequelize),
        row('deploy up, from a checkout', times.deploy),
        row('deploy up, started as in the image', times.deployCached),
      ],
      notes: [await describe(site, rounds)],
      versions: peers.versions,
    };
  },
};

async function describe(site: Site, rounds: number): Promise<string> {
  const db = await site.connect();
  const [counted] = await db.query<{ tables: string }>(
    `SELECT COUNT(*) AS tables FROM information_schema.tables WHERE table_schema = '${site.database}'`,
  );
  const files = (await readFile(path.join(masterdataDir, 'metadata.json'), 'utf8')).match(
    /\.json"/g,
  );
  return (
    `${rounds} rounds in turn, through the Unix socket of one server. deploy looks at ${counted!.tables} tables, the ` +
    `checksums of all migrations and ${files!.length} files of master data; umzug at twelve names. The aims: at most ` +
    '0.6 × umzug, and 1.3 × bare.'
  );
}

function runNode(
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, words, {
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(stderr))));
  });
}
