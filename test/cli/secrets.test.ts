import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, test } from 'node:test';
import { makeSite, type Running } from '../support/deploy.ts';
import { startTestServer } from '../support/server.ts';
import { cities, citiesThatFail, openShop } from '../support/shop.ts';

const server = await startTestServer({ after }, { tcp: 'loopback' });
const secret = 'pl4nted)S@cret/ü';
const rowSecret = 'Geheimnis der Kundin 7';

test('a planted password and row data appear in no output, report, log or process argument', async (t) => {
  const site = await makeSite(t, server);
  const db = await openShop(site);
  await db.run(`CREATE USER secretive IDENTIFIED BY '${secret}'`);
  await db.run('GRANT ALL ON *.* TO secretive');
  await db.run(`UPDATE customer SET city = '${rowSecret}' WHERE id IN (7, 8)`);
  const url = `secretive:${secret}@tcp(127.0.0.1:${server.tcpPort})/${site.database}?charset=utf8mb4`;
  const env = {
    DATABASE_URL: url,
    DB_HOST: undefined,
    DB_NAME: undefined,
    DB_USER: undefined,
    DB_PASSWORD: undefined,
  };
  const seen: string[] = [];

  for (const [files, args] of [
    [citiesThatFail, ['up', '--json', '--verbose']],
    [
      { '0.2.0/0002_cities.up.sql': 'ALTER TABLE customer ADD UNIQUE INDEX u (city);\n' },
      ['up', '--verbose'],
    ],
    [cities, ['up', '--verbose', '--json']],
    [cities, ['status', '--json']],
    [cities, ['doctor']],
    [cities, ['rollback', '--steps', '1', '--yes', '--verbose']],
  ] as const) {
    await site.write(files);
    const run = site.start(args, env);
    seen.push(...(await watchArguments(run)));
    const ended = await run.ended;
    seen.push(ended.stdout, ended.stderr);
  }
  const wrong = await site.deploy(['up'], {
    ...env,
    DATABASE_URL: url.replace(secret, `${secret}wrong`),
    DB_WAIT_SECONDS: '1',
  });
  const broken = await site.deploy(['up'], { ...env, DATABASE_URL: `${url}&tls=maybe)(` });
  seen.push(wrong.stderr, broken.stderr);
  for (const name of await readdir(site.reportDir)) {
    seen.push(await readFile(path.join(site.reportDir, name), 'utf8'));
  }

  assert.ok(
    seen.some((text) => text.includes('mariadb-dump')),
    'the arguments of child processes were seen',
  );
  assert.ok(
    seen.some((text) => text.includes('1062')),
    'a failure that quotes a row was seen',
  );
  for (const text of seen) {
    for (const form of [secret, encodeURIComponent(secret), 'pl4nted', rowSecret]) {
      assert.ok(!text.includes(form), `${form} is in: ${text.slice(0, 2000)}`);
    }
  }
});

/** The command lines of the process and of all its children, looked at until it ends. */
async function watchArguments(run: Running): Promise<string[]> {
  const seen = new Set<string>();
  while (run.child.exitCode === null && run.child.signalCode === null) {
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      if (/mariadb|main\.ts/.test(text)) seen.add(text.replaceAll('\0', ' '));
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return [...seen];
}
