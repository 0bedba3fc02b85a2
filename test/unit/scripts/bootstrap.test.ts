import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';

const root = join(import.meta.dirname, '../../..');
const programs = ['mariadbd', 'mariadb-install-db', 'mariadb', 'mariadb-dump'];

/** A clone with nothing installed, and a folder of programs that is the whole PATH. */
function makeClone(t: TestContext, { lockfile }: { lockfile: object }) {
  const dir = mkdtempSync(join(tmpdir(), 'bootstrap-'));
  t.after(() => rmSync(dir, { recursive: true }));
  mkdirSync(join(dir, 'scripts'));
  mkdirSync(join(dir, 'bin'));
  copyFileSync(join(root, 'scripts/bootstrap.mjs'), join(dir, 'scripts/bootstrap.mjs'));
  writeFileSync(join(dir, 'package-lock.json'), JSON.stringify(lockfile));
  const addProgram = (name: string, script: string) => {
    writeFileSync(join(dir, 'bin', name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(dir, 'bin', name), 0o755);
  };
  const run = (...words: string[]) =>
    spawnSync(process.execPath, ['scripts/bootstrap.mjs', ...words], {
      cwd: dir,
      encoding: 'utf8',
      env: { PATH: join(dir, 'bin') },
    });
  return { dir, addProgram, run };
}

const onePackage = { packages: { '': {}, 'node_modules/x': { version: '1.0.0' } } };

describe('the set-up', () => {
  test('installs the packages of the lockfile once, and again when it changes', (t) => {
    const { dir, addProgram, run } = makeClone(t, { lockfile: onePackage });
    for (const name of programs) addProgram(name, 'exit 0');
    addProgram('npm', '/bin/mkdir -p node_modules; echo "$@" >> npm-calls');

    for (let time = 0; time < 2; time++) assert.equal(run().status, 0);
    const calls = () => readFileSync(join(dir, 'npm-calls'), 'utf8').trim().split('\n');
    assert.equal(calls().length, 1);
    assert.match(calls()[0]!, /^ci /);

    writeFileSync(join(dir, 'package-lock.json'), JSON.stringify({ ...onePackage, changed: 1 }));
    assert.equal(run().status, 0);
    assert.equal(calls().length, 2);
  });

  test('installs nothing when npm ci was run by hand', (t) => {
    const { dir, addProgram, run } = makeClone(t, { lockfile: onePackage });
    for (const name of programs) addProgram(name, 'exit 0');
    addProgram('npm', 'exit 9');
    mkdirSync(join(dir, 'node_modules'));
    writeFileSync(join(dir, 'node_modules/.package-lock.json'), JSON.stringify(onePackage));

    assert.deepEqual([run().status, run().stderr], [0, '']);
  });

  test('says so when npm fails', (t) => {
    const { addProgram, run } = makeClone(t, { lockfile: onePackage });
    addProgram('npm', 'exit 9');

    const { status, stderr } = run();

    assert.equal(status, 1);
    assert.match(stderr, /npm ci failed/);
  });

  test('asks for no programs where the packages are enough', (t) => {
    const { addProgram, run } = makeClone(t, { lockfile: onePackage });
    addProgram('npm', '/bin/mkdir -p node_modules');

    assert.deepEqual([run('--packages').status, run().status], [0, 1]);
  });

  test('names the programs that are missing, and what to do without Debian', (t) => {
    const { addProgram, run } = makeClone(t, { lockfile: onePackage });
    addProgram('npm', '/bin/mkdir -p node_modules');

    const { status, stderr } = run();

    assert.equal(status, 1);
    assert.match(stderr, /^bootstrap: (.*, )?mariadb, mariadb-dump not found on PATH; install /m);
  });

  test("installs Debian's packages as root, and else says which", (t) => {
    const { dir, addProgram, run } = makeClone(t, { lockfile: onePackage });
    addProgram('npm', '/bin/mkdir -p node_modules');
    addProgram(
      'apt-get',
      `echo "$@" >> apt-calls; cd bin; for p in ${programs.join(' ')}; do /bin/cp apt-get $p; done`,
    );

    const { status, stderr } = run();

    if (process.getuid?.() === 0) {
      assert.equal(status, 0, stderr);
      assert.deepEqual(readFileSync(join(dir, 'apt-calls'), 'utf8').split('\n'), [
        'update',
        'install -y --no-install-recommends mariadb-server-core mariadb-client-core mariadb-client',
        '',
      ]);
    } else {
      assert.equal(status, 1);
      assert.match(stderr, /run as root: apt-get update && apt-get install -y .*mariadb-client$/m);
    }
  });

  test('includes a browser for the tests alone, whatever its name is', (t) => {
    const { addProgram, run } = makeClone(t, { lockfile: onePackage });
    for (const name of programs) addProgram(name, 'exit 0');
    addProgram('npm', '/bin/mkdir -p node_modules');

    assert.equal(run().status, 0);
    const { status, stderr } = run('--browser');
    assert.equal(status, 1);
    assert.match(stderr, /^bootstrap: chromium not found on PATH; install Chromium/m);

    addProgram('google-chrome', 'exit 0');
    assert.equal(run('--browser').status, 0);
  });
});
