/** Servers of the MariaDB versions that are promised to work, on a machine that has one of them. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { $ } from 'zx/core';
import { findBinaries } from '../../src/scratch/binaries.ts';

export type MariadbVersion = {
  /** e.g. `11.8`. */
  readonly version: string;
  /** Path of its server, for `startTestServer` and `startScratch`. */
  readonly mariadbd: string;
  /** Folder of its client programs. */
  readonly programs: string;
};

/** Which release of Debian has it. */
const SUITES = { '10.11': 'bookworm', '11.8': 'trixie' } as const;

const CACHE = join(import.meta.dirname, '../../.cache');

/**
 * MariaDB 10.11 and 11.8: this machine's own where it is one of them, else unpacked from the
 * packages of the Debian release that has it into `.cache`, with the libraries they need. Nothing
 * is installed. Throws, and never leaves a version out, where that cannot be done.
 */
export async function mariadbVersions(): Promise<MariadbVersion[]> {
  const own = await findBinaries(process.env['DEPLOY_TEST_MARIADBD']);
  const versions: MariadbVersion[] = [];
  for (const [version, suite] of Object.entries(SUITES)) {
    const isOwn = own.serverVersion.startsWith(`${version}.`);
    const base = isOwn ? own.baseDir : await unpack(suite, version);
    const mariadbd = isOwn ? own.mariadbd : join(base, 'sbin/mariadbd');
    versions.push({ version, mariadbd, programs: join(base, 'bin') });
  }
  return versions;
}

/** Gives the `usr` folder with the unpacked programs. */
async function unpack(suite: string, version: string): Promise<string> {
  const target = join(CACHE, `mariadb-${version}`);
  const usr = join(target, 'usr');
  if (existsSync(target)) return usr;
  mkdirSync(CACHE, { recursive: true });
  const work = mkdtempSync(join(CACHE, 'unpack-'));
  try {
    await download(work, suite);
    await wrapPrograms(join(work, 'root/usr'));
    renameSync(join(work, 'root'), target);
  } catch (cause) {
    // Another test file may have been faster.
    if (existsSync(target)) return usr;
    throw new Error(
      `MariaDB ${version} is needed for this test and could not be unpacked from Debian ${suite}: ` +
        'this needs apt-get, dpkg-deb and the network',
      { cause },
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return usr;
}

async function download(work: string, suite: string): Promise<void> {
  const root = join(work, 'root');
  for (const name of ['state/lists/partial', 'cache/archives/partial', 'root'])
    mkdirSync(join(work, name), { recursive: true });
  const keys = '/usr/share/keyrings/debian-archive-keyring.gpg';
  const source = `deb [signed-by=${keys}] http://deb.debian.org/debian ${suite} main\n`;
  writeFileSync(join(work, 'sources.list'), source);
  // As if nothing were installed, so that all libraries come along, the C library too.
  writeFileSync(join(work, 'status'), '');
  const options = [
    `Dir::Etc::sourcelist=${work}/sources.list`,
    'Dir::Etc::sourceparts=/dev/null',
    `Dir::State=${work}/state`,
    `Dir::State::status=${work}/status`,
    `Dir::Cache=${work}/cache`,
    'Debug::NoLocking=1',
  ].flatMap((option) => ['-o', option]);
  const quiet = { quiet: true, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  await $(quiet)`apt-get ${options} update`;
  const packages = ['mariadb-server-core', 'mariadb-client-core', 'mariadb-client'];
  await $(quiet)`apt-get ${options} install --download-only -y --no-install-recommends ${packages}`;
  const archives = join(work, 'cache/archives');
  for (const name of readdirSync(archives)) {
    if (!name.endsWith('.deb') || /^(?:perl|libperl|debianutils)/.test(name)) continue;
    await $(quiet)`dpkg-deb -x ${join(archives, name)} ${root}`;
  }
}

/** Programs that are started with the C library and the loader that they were built for. */
async function wrapPrograms(usr: string): Promise<void> {
  const libraries = readdirSync(join(usr, 'lib')).find((name) => name.endsWith('-linux-gnu'))!;
  const loader = readdirSync(join(usr, 'lib', libraries)).find((name) => /^ld-linux/.test(name))!;
  for (const program of [
    'sbin/mariadbd',
    ...['my_print_defaults', 'resolveip', 'mariadb', 'mariadb-dump'].map((name) => `bin/${name}`),
  ]) {
    const path = join(usr, program);
    renameSync(path, `${path}.bin`);
    const lib = `"$usr/lib/${libraries}"`;
    writeFileSync(
      path,
      `#!/bin/sh\nusr=\${0%/*}/..\nexec ${lib}/${loader} --library-path ${lib} "$0.bin" "$@"\n`,
    );
    chmodSync(path, 0o755);
  }
}
