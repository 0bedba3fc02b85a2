import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { loadConfig } from '../../../src/config/load.ts';
import { DeployError } from '../../../src/errors/deploy-error.ts';

const complete = { DB_HOST: 'db', DB_NAME: 'bamort', DB_USER: 'deploy', DB_PASSWORD: 'hunter2)' };

function problemsOf(env: Record<string, string | undefined>): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    assert(error instanceof DeployError);
    assert.equal(error.code, 'CONFIG_INVALID');
    return error.facts['problems'] as string[];
  }
  throw new assert.AssertionError({ message: 'the configuration was accepted' });
}

function makeDir(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'config-'));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

describe('loadConfig', () => {
  test('fills in the defaults of everything that is not set', () => {
    const config = loadConfig(complete);

    assert.deepEqual(config.database, {
      host: 'db',
      port: 3306,
      socketPath: null,
      user: 'deploy',
      password: 'hunter2)',
      name: 'bamort',
    });
    assert.equal(config.updatePath, 'next');
    assert.equal(config.onFailure, 'restore');
    assert.equal(config.backup, 'before-change');
    assert.equal(config.backupDir, '/backups');
    assert.equal(config.backupKeepLast, 3);
    assert.equal(config.dbWaitMs, 120_000);
    assert.equal(config.lockWaitMs, 600_000);
    assert.equal(config.stopGraceMs, 8_000);
    assert.equal(config.requiredVersion, null);
    assert.deepEqual(config.fenceUsers, []);
    assert.equal(config.health.port, 8183);
    assert.equal(config.health.trustProxy, false);
    assert.deepEqual(config.warnings, []);
  });

  test('takes an empty value for "not set", as compose files hand it on', () => {
    const config = loadConfig({ ...complete, DB_PORT: '', UPDATE_PATH: ' ', BASE_URL: '' });

    assert.equal(config.database.port, 3306);
    assert.equal(config.updatePath, 'next');
    assert.equal(config.health.baseUrl, null);
  });

  test('resolves relative folders against the given folder', () => {
    const config = loadConfig(
      { ...complete, BACKUP_DIR: 'b', MIGRATIONS_DIR: '../m' },
      { cwd: '/srv/app' },
    );

    assert.equal(config.backupDir, '/srv/app/b');
    assert.equal(config.migrationsDir, '/srv/m');
  });

  test('cannot be changed afterwards, at any depth', () => {
    const config = loadConfig({ ...complete, FENCE_USERS: 'app' }) as unknown as {
      database: { host: string };
      fenceUsers: string[];
    };

    assert.throws(() => {
      config.database.host = 'elsewhere';
    }, TypeError);
    assert.throws(() => config.fenceUsers.push('root'), TypeError);
  });

  test('reports all problems at once', () => {
    const problems = problemsOf({
      DB_PORT: '99999',
      DB_USER: 'deploy',
      UPDATE_PATH: 'nxt',
      BACKUP_KEEP_LAST: '0',
      LOCK_WAIT_SECONDS: '-1',
      REQUIRED_DB_VERSION: '5',
      TRUST_PROXY: 'perhaps',
      BASE_URL: 'ftp://x',
      FENCE_USERS: "'app'@'%'",
      METRICS_PREFIX: '9x',
      RATE_LIMIT_PER_SECOND: '0',
    });

    assert.deepEqual(problems, [
      'DB_PORT must be a whole number from 1 to 65535, not 99999',
      'REQUIRED_DB_VERSION must be a version of three numbers, such as 0.5.0, not 5',
      'UPDATE_PATH must be one of next, stepwise, not nxt',
      'BACKUP_KEEP_LAST must be a whole number from 1 to 10000, not 0',
      'FENCE_USERS must be account names without host and quotes, separated by commas',
      'LOCK_WAIT_SECONDS must be a number of seconds from 0 to 1000000, not -1',
      'BASE_URL must be an address that begins with http:// or https://',
      'TRUST_PROXY must be true or false, not perhaps',
      'RATE_LIMIT_PER_SECOND must be a number above 0, not 0',
      'METRICS_PREFIX must begin with a letter and hold only letters, digits and underscores, not 9x',
      'DB_HOST is not set',
      'DB_NAME is not set',
      'DB_PASSWORD is not set (set it to an empty value if the account has none)',
    ]);
  });

  test('accepts an account without a password only when that is said', () => {
    const { DB_PASSWORD: _, ...withoutPassword } = complete;

    assert.equal(loadConfig({ ...complete, DB_PASSWORD: '' }).database.password, '');
    assert.equal(problemsOf(withoutPassword).length, 1);
  });

  test('needs no database settings when the command needs no database', () => {
    assert.equal(loadConfig({}, { database: 'optional' }).database.name, '');
    assert.throws(() => loadConfig({ DB_PORT: 'x' }, { database: 'optional' }), {
      code: 'CONFIG_INVALID',
    });
  });

  test('takes a DB_HOST that begins with a slash for a socket, which needs no password', () => {
    const { database } = loadConfig({ DB_HOST: '/run/m.sock', DB_NAME: 'b', DB_USER: 'root' });

    assert.equal(database.socketPath, '/run/m.sock');
    assert.equal(database.password, '');
  });

  test('refuses a port inside of DB_HOST, and takes an IPv6 address', () => {
    assert.deepEqual(problemsOf({ ...complete, DB_HOST: 'db:3307' }), [
      'DB_HOST must be a host name alone (the port belongs into DB_PORT)',
    ]);
    assert.equal(
      loadConfig({ ...complete, DB_HOST: '[2001:db8::1]' }).database.host,
      '2001:db8::1',
    );
    assert.equal(loadConfig({ ...complete, DB_HOST: '::1' }).database.host, '::1');
  });
});

describe('NAME_FILE', () => {
  test('reads a secret from its file and cuts off one newline', (t) => {
    const path = join(makeDir(t), 'password');
    writeFileSync(path, ' s3cret \n\n');
    const { DB_PASSWORD: _, ...rest } = complete;

    const config = loadConfig({ ...rest, DB_PASSWORD_FILE: path });

    assert.equal(config.database.password, ' s3cret \n');
    assert(config.secrets.includes(' s3cret \n'));
  });

  test('refuses a variable together with its file', (t) => {
    const path = join(makeDir(t), 'password');
    writeFileSync(path, 'x');

    assert.deepEqual(problemsOf({ ...complete, DB_PASSWORD_FILE: path }), [
      'DB_PASSWORD and DB_PASSWORD_FILE are both set: keep one of them',
    ]);
  });

  test('names the path of a file that cannot be read', (t) => {
    const dir = makeDir(t);
    const { DB_PASSWORD: _, ...rest } = complete;

    assert.deepEqual(problemsOf({ ...complete, ADMIN_PASSWORD_FILE: '/nowhere/p' }), [
      'ADMIN_PASSWORD_FILE names /nowhere/p, which cannot be read (there is no such file)',
    ]);
    assert.match(problemsOf({ ...rest, DB_PASSWORD_FILE: dir })[0]!, /it is a folder/);
  });

  test('says that the file of a variable is empty', (t) => {
    const path = join(makeDir(t), 'url');
    writeFileSync(path, '\n');

    assert.deepEqual(problemsOf({ ...complete, DATABASE_URL_FILE: path }), [
      `DATABASE_URL_FILE names ${path}, and that file is empty`,
    ]);
  });

  test('works for account names, too', (t) => {
    writeFileSync(join(makeDir(t), 'user'), 'x');
    const dir = makeDir(t);
    writeFileSync(join(dir, 'user'), 'deployer\n');
    const { DB_USER: _, ...rest } = complete;

    assert.equal(
      loadConfig({ ...rest, DB_USER_FILE: 'user' }, { cwd: dir }).database.user,
      'deployer',
    );
  });
});

describe('DATABASE_URL and the DB_ variables', () => {
  test('may agree, and complete each other', () => {
    const { database, secrets } = loadConfig({
      DATABASE_URL: 'mysql://deploy@db/bamort',
      DB_HOST: 'db',
      DB_PASSWORD: 'hunter2',
      DB_PORT: '3307',
    });

    assert.equal(database.password, 'hunter2');
    assert.equal(database.port, 3307);
    assert(secrets.includes('hunter2'));
  });

  test('may not contradict each other', () => {
    const problems = problemsOf({
      ...complete,
      DATABASE_URL: 'mysql://deploy:other@elsewhere/bamort',
    });

    assert.deepEqual(problems, [
      'DB_HOST and DATABASE_URL contradict each other: keep one',
      'DB_PASSWORD and DATABASE_URL contradict each other: keep one',
    ]);
  });

  test('may not name a host and a socket', () => {
    const env = { DATABASE_URL: 'u:p@unix(/run/m.sock)/b', DB_HOST: 'db' };

    assert.deepEqual(problemsOf(env), ['DB_HOST and DATABASE_URL contradict each other: keep one']);
  });

  test('must name a database together', () => {
    assert.deepEqual(problemsOf({ DATABASE_URL: 'mysql://u:p@db' }), [
      'DATABASE_URL names no database, and DB_NAME is not set',
    ]);
  });
});

describe('secrets', () => {
  test('never stand in a problem, wherever they were put', () => {
    const problems = problemsOf({
      DATABASE_URL: 'postgres://root:hunter2@db/x',
      DB_PORT: 'hunter2',
      DB_HOST: 'root:hunter2@db',
      DB_PASSWORD: 'hunter2',
      BASE_URL: 'http://me:hunter2@example.org',
    });

    assert.doesNotMatch(problems.join('\n'), /hunter2/);
    assert(problems.length >= 4);
  });

  test('of a misspelt variable are not shown, either', () => {
    const problems = problemsOf({ ...complete, DB_PASWORD: 'abc123', DB_PORT: 'abc123' });

    assert.doesNotMatch(problems.join('\n'), /abc123/);
  });

  test('inside of DATABASE_URL are known decoded and as written', () => {
    const { secrets, database } = loadConfig({ DATABASE_URL: 'mysql://u:p%40ss@db/b' });

    assert.equal(database.password, 'p@ss');
    assert(secrets.includes('p@ss'));
    assert(secrets.includes('p%40ss'));
  });
});

describe('misspelt variables', () => {
  test('are warnings that name the nearest known one', () => {
    const { warnings } = loadConfig({ ...complete, BACKUP_DIRR: '/b', PATH: '/bin', db_port: '1' });

    assert.deepEqual(warnings, [
      'the variable BACKUP_DIRR is not known and ignored: is BACKUP_DIR meant?',
      'the variable db_port is not known and ignored: is DB_PORT meant?',
    ]);
  });

  test('are hints beside the problem that they cause', () => {
    const { DB_PASSWORD: _, ...rest } = complete;

    assert.deepEqual(problemsOf({ ...rest, DB_PASWORD: 'x' }), [
      'DB_PASSWORD is not set (set it to an empty value if the account has none)',
      'DB_PASWORD is not known: is DB_PASSWORD meant?',
    ]);
  });
});
