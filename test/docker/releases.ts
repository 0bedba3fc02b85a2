/** Releases of an application: this repository's images, with more migrations in them. */

import { chmod, cp, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { $ } from 'zx';
import { until } from './running.ts';
import { firstRelease, root, type Services } from './settings.ts';
import type { Stack } from './stack.ts';

/** Texts by their paths below `migrations`. */
export type Files = Readonly<Record<string, string>>;

/** A migration that adds a column to `users`, and takes it away again. */
export function addColumn(version: string, number: number, column: string): Files {
  const base = `${version}/${String(number).padStart(4, '0')}_add_${column}`;
  return {
    [`${base}.up.sql`]: `ALTER TABLE users ADD COLUMN ${column} varchar(50) NULL;\n`,
    [`${base}.down.sql`]: `-- DATA LOSS: ${column}.\nALTER TABLE users DROP COLUMN ${column};\n`,
  };
}

/**
 * A migration whose statement does not end before the gate is open (`holdGate`); where nobody holds it, as on
 * the scratch server, it takes no time. Others can read all tables meanwhile when it is an `update`; a `create`
 * keeps them from reading the structure.
 */
export function slowMigration(version: string, number: number, kind: 'create' | 'update'): Files {
  const base = `${version}/${String(number).padStart(4, '0')}_slow`;
  const table = `slow_${number}`;
  // The name is made anew for each row: of a constant the server would ask once.
  const waited = `(SELECT COUNT(*) FROM seq_1_to_3000
    WHERE IF(IS_USED_LOCK(CONCAT('gate', LEFT(seq, 0))) IS NULL, 0, SLEEP(0.1)) = 1)`;
  const [up, down] = {
    create: [
      `CREATE TABLE ${table} AS SELECT user_id, ${waited} AS waited FROM users WHERE role = 'admin';`,
      `-- DATA LOSS: all rows of ${table}.\nDROP TABLE ${table};`,
    ],
    update: [
      `UPDATE users SET email = email WHERE role = 'admin' AND ${waited} = 0;`,
      'UPDATE users SET email = email;',
    ],
  }[kind];
  return { [`${base}.up.sql`]: `${up}\n`, [`${base}.down.sql`]: `${down}\n` };
}

/** Keeps slow migrations from ending; gives what lets them. A restart of the server opens the gate as well. */
export async function holdGate(stack: Stack): Promise<() => Promise<void>> {
  stack.startSql("SELECT GET_LOCK('gate', 0); SELECT SLEEP(600)");
  await until('the gate is held', async () =>
    (await stack.sql("SELECT IS_USED_LOCK('gate') > 0 AS held")).includes('1'),
  );
  return async () => {
    await stack.sql("KILL IS_USED_LOCK('gate')");
  };
}

/**
 * Tells the stack how `docker compose build` makes a release with these files as well, as an
 * application does that has its own migrations; and its backend, if `backendLines` are to be added
 * to the demo's Dockerfile. Gives the name of the release.
 */
export async function planRelease(
  stack: Stack,
  version: string,
  files: Files,
  backendLines = '',
): Promise<string> {
  const recipes = {
    deploy: 'COPY migrations migrations/\n',
    health: 'COPY migrations migrations/\n',
    'demo-backend': backendLines,
  };
  const builds = Object.entries(recipes).map(async ([service, lines]) => {
    const context = path.join(stack.dir, `${version}-${service}`);
    await rm(context, { recursive: true, force: true });
    await write(path.join(context, 'migrations'), files);
    await write(context, { Dockerfile: `FROM bamort-${service}:${firstRelease}\n${lines}` });
    // The base is an image without stages.
    return [service, { build: { context, dockerfile: 'Dockerfile', target: '' } }] as const;
  });
  await stack.override(Object.fromEntries(await Promise.all(builds)));
  return `${version}-${stack.project}`;
}

/** Makes the images of a release now. The stack does not change; `set({ RELEASE })` chooses it. */
export async function makeRelease(
  stack: Stack,
  version: string,
  files: Files,
  backendLines = '',
): Promise<string> {
  const release = await planRelease(stack, version, files, backendLines);
  const options = { cwd: root, env: { ...stack.env, RELEASE: release }, quiet: true };
  await $(options)`docker compose build --quiet`;
  await stack.override({});
  return release;
}

/** The repository's migrations with more files, mounted: the files can be changed between two `up`. */
export async function mountMigrations(stack: Stack, files: Files): Promise<Services> {
  const dir = path.join(stack.dir, 'migrations');
  await cp(path.join(root, 'migrations'), dir, { recursive: true });
  await write(dir, files);
  // mkdtemp keeps others out, and the account in the container is one of them.
  await chmod(stack.dir, 0o755);
  const volumes = [`${dir}:/app/migrations:ro`];
  return { deploy: { volumes }, health: { volumes } };
}

async function write(dir: string, files: Files): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(dir, name)), { recursive: true });
    await writeFile(path.join(dir, name), text);
  }
}
