/**
 * 200 migrations of three statements on an empty database, against dbmate, which has neither
 * journal nor backup: `npm run bench -- migrate [rounds] [migrations]`.
 */
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Report } from '../../src/run/report.ts';
import { makeSite } from '../support/deploy.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { type Bench, formatMs, formatRatio, measureInTurn, median, timed } from './frame.ts';

/** One migration: a table, another column, a row. */
function statementsOf(number: number): readonly [up: string, down: string] {
  const table = `t${number}`;
  return [
    `CREATE TABLE ${table} (id int NOT NULL PRIMARY KEY, name varchar(40) NOT NULL);\n` +
      `ALTER TABLE ${table} ADD COLUMN note varchar(200) NULL;\n` +
      `INSERT INTO ${table} (id, name) VALUES (1, 'one');\n`,
    `DROP TABLE ${table};\n`,
  ];
}

const padded = (number: number) => String(number).padStart(4, '0');

export const bench: Bench = {
  name: 'migrate',
  title: 'Migrating an empty database',
  async run(context) {
    const rounds = Number(context.args[0] ?? 5);
    const count = Number(context.args[1] ?? 200);
    const peers = await context.installPeers(['dbmate']);
    const server = await startTestServer(context, { durable: 'full', bufferPoolMb: 128 });
    const numbers = Array.from({ length: count }, (_, index) => index + 1);

    const files = path.join(context.dir, 'dbmate');
    await mkdir(files);
    for (const number of numbers) {
      const [up, down] = statementsOf(number);
      const text = `-- migrate:up\n${up}\n-- migrate:down\n${down}`;
      await writeFile(path.join(files, `2026010100${padded(number)}_step.sql`), text);
    }
    const sources = Object.fromEntries(
      numbers.flatMap((number) => {
        const [up, down] = statementsOf(number);
        const name = `1.0.0/${padded(number)}_step`;
        return [
          [`${name}.up.sql`, up],
          [`${name}.down.sql`, down],
        ];
      }),
    );

    const steps: Report['steps'][] = [];
    const times = await measureInTurn(rounds, {
      dbmate: () => timed(() => runDbmate(peers.dir, server, files)),
      deploy: async () => {
        const site = await makeSite(context, server, sources);
        const begunAt = performance.now();
        const ended = await site.deploy(['up', '--json']);
        const ms = performance.now() - begunAt;
        if (ended.code !== 0) throw new Error(ended.stderr);
        steps.push((JSON.parse(ended.stdout) as Report).steps);
        return ms;
      },
    });
    const peer = median(times.dbmate);
    const stepMs = (kind: string) =>
      median(
        steps
          .slice(1)
          .map((one) => one.filter((step) => step.kind === kind))
          .map((found) => found.reduce((sum, step) => sum + step.duration_ms, 0)),
      );
    const row = (name: string, ms: number) => [name, formatMs(ms), formatRatio(ms, peer)];
    return {
      columns: [`${count} migrations of CREATE, ALTER, INSERT`, 'median', 'of dbmate'],
      rows: [
        row('dbmate, whole run', peer),
        row('deploy, migrate step: journal, history, lock checked by each', stepMs('migrate')),
        row('deploy, plan: every statement tried on a scratch server', stepMs('plan')),
        row('deploy, backup and its proof', stepMs('backup')),
        row('deploy, whole run', median(times.deploy)),
      ],
      notes: [
        `${rounds} rounds in turn, on one server with innodb_flush_log_at_trx_commit=1 and its data on the disk. ` +
          'The aim for the migrate step is 1.2 ×, the limit 1.5 ×. A statement that commits by itself costs one ' +
          'write of the journal besides, which waits for the disk as the statement does; one that can be rolled ' +
          'back shares its transaction with the journal and with the history row.',
      ],
      versions: peers.versions,
    };
  },
};

async function runDbmate(dir: string, server: TestServer, files: string): Promise<void> {
  const database = await server.createDatabase();
  const url = `mysql://root@localhost/${database}?socket=${server.address.socketPath}`;
  const options = ['--url', url, '--migrations-dir', files, '--no-dump-schema', 'up'];
  const { status, stderr } = spawnSync(path.join(dir, 'node_modules/.bin/dbmate'), options, {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`dbmate failed: ${stderr}`);
}
