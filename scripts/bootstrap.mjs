/**
 * Does the set-up that a fresh machine needs, and nothing on a machine that has it: npm packages,
 * Node 24.12 or later, MariaDB's programs, and with `--browser` (the tests) Chromium; with `--packages`
 * (what works with containers alone) no programs. Run by every npm script that needs them.
 *
 * The only file that must run without packages, and on Node 20 or later: no TypeScript, no import
 * but Node's own. The common case must stay well below a tenth of a second.
 */

import { createHash } from 'node:crypto';
import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');
const stampPath = join(root, 'node_modules', '.installed-lockfile');
const ownNode = join(root, 'node_modules', '.bin', 'node');
const leastNode = [24, 12];

/** What the program and its tests start, and the Debian packages that hold it (12 and 13). */
const needs = [
  {
    programs: [['mariadbd'], ['mariadb-install-db'], ['mariadb'], ['mariadb-dump']],
    debianPackages: ['mariadb-server-core', 'mariadb-client-core', 'mariadb-client'],
    otherwise: 'install the server and the client of MariaDB 10.6 or later',
  },
  {
    // One of several names is enough.
    programs: [['chromium', 'chromium-browser', 'google-chrome']],
    debianPackages: ['chromium'],
    otherwise: 'install Chromium, in which the banner is tested',
  },
].slice(0, { '--packages': 0, '--browser': 2 }[process.argv[2]] ?? 1);
const systemFolders = ['/usr/sbin', '/usr/local/sbin', '/sbin'];

try {
  await installPackages();
  await checkNode();
  await installPrograms();
} catch (error) {
  console.error(`bootstrap: ${error.message}`);
  process.exitCode = 1;
}

/** Runs `npm ci` unless the packages are those of the lockfile. */
async function installPackages() {
  const lockfile = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (readOrEmpty(stampPath) === lockfile) return;
  if (hasPackages()) return writeFileSync(stampPath, lockfile);

  console.error('bootstrap: installing the npm packages of package-lock.json');
  // npm's own variables would make the inner npm think it is part of the outer one's script.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(lifecycle|package|command)/.test(name)),
  );
  const npm = [
    'ci',
    '--include=optional',
    '--include=dev',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  if (!(await succeeds('npm', npm, env))) {
    throw new Error('npm ci failed (see above); correct that, then run the same command again');
  }
  writeFileSync(stampPath, lockfile);
}

/** True when somebody ran `npm ci` or `npm install` already: npm keeps its own list of what it did. */
function hasPackages() {
  const wanted = packagesOf(join(root, 'package-lock.json'));
  const present = packagesOf(join(root, 'node_modules', '.package-lock.json'));
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    return path === '' || present[path]?.version === version || (optional && !present[path]);
  });
}

function packagesOf(path) {
  const text = readOrEmpty(path);
  return text === '' ? {} : JSON.parse(text).packages;
}

/** Makes sure that the `node` of the npm scripts can run TypeScript. */
async function checkNode() {
  if (isExecutable(ownNode)) return;
  // No package for this machine: then `node` on PATH is what the scripts get, and runs this file.
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [leastMajor, leastMinor] = leastNode;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return;
  throw new Error(
    `there is no Node package for ${process.platform} ${process.arch}, and this is Node ${process.versions.node}: ` +
      `install Node ${leastNode.join('.')} or later from https://nodejs.org/ and run the same command again`,
  );
}

/** Installs what is missing from Debian when this process may do so. */
async function installPrograms() {
  const missing = needs.filter((need) => missingOf(need).length > 0);
  if (missing.length === 0) return;

  const names = missing.flatMap(missingOf).join(', ');
  const packages = missing.flatMap(({ debianPackages }) => debianPackages).join(' ');
  const isDebian = find('apt-get') !== null;
  const install = `apt-get install -y --no-install-recommends ${packages}`;
  if (!isDebian || process.getuid?.() !== 0) {
    const how = isDebian
      ? `run as root: apt-get update && ${install}`
      : missing.map(({ otherwise }) => otherwise).join('; ');
    throw new Error(`${names} not found on PATH; ${how}`);
  }

  console.error(`bootstrap: installing ${packages.replaceAll(' ', ', ')} (nothing is started)`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const done =
    (await succeeds('apt-get', ['update'], env)) &&
    (await succeeds('apt-get', install.split(' ').slice(1), env));
  if (!done) throw new Error(`this command failed (see above): apt-get update && ${install}`);
  const still = needs.flatMap(missingOf);
  if (still.length > 0) throw new Error(`${still.join(', ')} still not found after: ${install}`);
}

/** Gives the first name of each program that is there under none of its names. */
function missingOf({ programs }) {
  const missing = programs.filter((names) => names.every((name) => find(name) === null));
  return missing.map(([name]) => name);
}

function find(program) {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...systemFolders];
  return folders.map((folder) => join(folder, program)).find(isExecutable) ?? null;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function readOrEmpty(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Its output goes to stderr: stdout belongs to the script that follows. */
async function succeeds(command, parameters, env) {
  const { spawnSync } = await import('node:child_process');
  const { status, error } = spawnSync(command, parameters, {
    cwd: root,
    env,
    stdio: ['ignore', 2, 2],
  });
  if (error) throw new Error(`${command} could not be started (${error.code})`);
  return status === 0;
}
