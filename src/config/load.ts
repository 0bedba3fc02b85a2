import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { customCleanEnv, makeExactValidator } from 'envalid';
import { DeployError } from '../errors/deploy-error.ts';
import { redact } from '../errors/redact.ts';
import type { Config } from './config.ts';
import { readDatabase } from './database.ts';
import { type Env, readEnv } from './env-files.ts';
import { findMisspelt, type Misspelt } from './misspelt.ts';
import {
  hasFileForm,
  type VariableName,
  type VariableValues,
  variable,
  variableNames,
} from './variables.ts';

/** How to read the environment. */
export type LoadOptions = {
  /** What relative paths are relative to; the folder of the process if left out. */
  readonly cwd?: string;
  /**
   * `optional` for commands that need no database (help, prepare): then missing database settings
   * are no problem, and the address stays empty. Wrong ones still are a problem.
   */
  readonly database?: 'required' | 'optional';
};

/** The folder that holds `src`, `migrations` and `masterdata`: /app in the image. */
const root = resolve(import.meta.dirname, '../..');

/**
 * Gives the settings of this process: complete, checked, deep-frozen.
 *
 * Reads the files that NAME_FILE variables name, and nothing else. Empty variables count as not
 * set. Misspelt variables are in `warnings`.
 *
 * @throws DeployError `CONFIG_INVALID` with all problems at once in `facts.problems`, one sentence
 *   each, without any secret.
 */
export function loadConfig(env: Env, options: LoadOptions = {}): Config {
  const cwd = options.cwd ?? process.cwd();
  const read = readEnv(env, cwd);
  const { values, faults } = checkValues(read.values);
  const database = readDatabase(values, options.database ?? 'required');
  const misspelt = misspeltOf(env);
  const secrets = [
    ...secretsOf(read.values),
    ...database.secrets,
    ...misspeltSecrets(env, misspelt),
  ];

  const faulty = faults.map(({ name, message }) => {
    return `${name} ${message}${shown(name, read.values[name], secrets)}`;
  });
  const all = [...read.problems, ...faulty, ...database.problems];
  if (all.length > 0) {
    const hints = misspelt.map(({ name, nearest }) => `${name} is not known: is ${nearest} meant?`);
    throw configInvalid([...all, ...hints]);
  }
  return freeze({
    ...settingsOf(values, cwd),
    database: database.address,
    secrets,
    warnings: misspelt.map(
      ({ name, nearest }) => `the variable ${name} is not known and ignored: is ${nearest} meant?`,
    ),
  });
}

function configInvalid(problems: readonly string[]): DeployError {
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
  return new DeployError('CONFIG_INVALID', `the configuration has ${count}`, {
    facts: { problems },
  });
}

/**
 * Parses every value with envalid. The reporter is our own: envalid's ends the process, and prints
 * values, so that a malformed URL would show its password.
 */
function checkValues(env: Readonly<Record<string, string>>): {
  values: VariableValues;
  faults: { name: VariableName; message: string }[];
} {
  const faults: { name: VariableName; message: string }[] = [];
  const specs = Object.fromEntries(
    variableNames.map((name) => {
      const { parse, default: byDefault, description } = variable(name);
      const validator = makeExactValidator<unknown>(parse);
      const value = byDefault === null ? undefined : (parse(byDefault) as object);
      return [name, validator({ desc: description, default: value })];
    }),
  );
  // Not cleanEnv: the object that it gives throws when a value that had a problem is read.
  const values = customCleanEnv(env, specs, (cleaned) => ({ ...cleaned }), {
    reporter: ({ errors }) => {
      for (const name of variableNames) {
        const message = errors[name]?.message;
        if (message !== undefined) faults.push({ name, message });
      }
    },
  });
  // The types of the table and of the specs made from it are the same; the loop above hides it.
  return { values: values as unknown as VariableValues, faults };
}

/** Only words and numbers of a few letters are repeated, and no secret that was put elsewhere. */
function shown(name: VariableName, value: string | undefined, secrets: readonly string[]): string {
  const word = value?.trim() ?? '';
  const harmless = /^[\w.+-]{1,20}$/.test(word) && redact(word, secrets) === word;
  return harmless && !hasFileForm(name) ? `, not ${word}` : '';
}

function secretsOf(values: Readonly<Record<string, string>>): string[] {
  return variableNames.flatMap((name) => {
    const value = values[name];
    return variable(name).secret === true && value ? [value] : [];
  });
}

/** The value of a DB_PASWORD is a password, too. */
function misspeltSecrets(env: Env, misspelt: readonly Misspelt[]): string[] {
  return misspelt.flatMap(({ name, nearest }) => {
    const value = env[name];
    return value && variable(nearest as VariableName)?.secret === true ? [value] : [];
  });
}

function misspeltOf(env: Env): Misspelt[] {
  const known = variableNames.flatMap((name) => {
    return hasFileForm(name) ? [name, `${name}_FILE`] : [name];
  });
  return findMisspelt(
    Object.keys(env).filter((name) => env[name] !== undefined),
    known,
  );
}

function settingsOf(values: VariableValues, cwd: string) {
  const masterdata = resolve(root, 'masterdata');
  return {
    backendVersion: values.BACKEND_VERSION ?? null,
    backendCommit: values.BACKEND_COMMIT ?? null,
    backendBuildDate: values.BACKEND_BUILD_DATE ?? null,
    requiredVersion: values.REQUIRED_DB_VERSION ?? null,
    updatePath: values.UPDATE_PATH,
    onFailure: values.ON_FAILURE,
    backup: values.BACKUP,
    backupDir: resolve(cwd, values.BACKUP_DIR),
    backupRetentionDays: values.BACKUP_RETENTION_DAYS,
    backupKeepLast: values.BACKUP_KEEP_LAST,
    scratchDir: resolve(cwd, values.SCRATCH_DIR),
    masterdata: values.MASTERDATA,
    safetyNet: values.SAFETY_NET,
    validate: values.VALIDATE,
    fence: values.FENCE,
    fenceUsers: values.FENCE_USERS,
    dbWaitMs: values.DB_WAIT_SECONDS,
    lockWaitMs: values.LOCK_WAIT_SECONDS,
    stopGraceMs: values.STOP_GRACE_SECONDS,
    migrationsDir: resolve(cwd, values.MIGRATIONS_DIR ?? resolve(root, 'migrations')),
    masterdataDir:
      values.MASTERDATA_DIR !== undefined
        ? resolve(cwd, values.MASTERDATA_DIR)
        : existsSync(masterdata)
          ? masterdata
          : null,
    package: values.PACKAGE === undefined ? null : resolve(cwd, values.PACKAGE),
    reportDir: resolve(cwd, values.REPORT_DIR),
    admin: {
      user: values.ADMIN_USER ?? null,
      email: values.ADMIN_EMAIL ?? null,
      password: values.ADMIN_PASSWORD ?? null,
    },
    logLevel: values.LOG_LEVEL,
    logFormat: values.LOG_FORMAT,
    health: {
      host: values.HEALTH_HOST,
      port: values.HEALTH_PORT,
      cacheMs: values.HEALTH_CACHE_SECONDS,
      baseUrl: values.BASE_URL ?? null,
      trustProxy: values.TRUST_PROXY,
      rateLimitPerSecond: values.RATE_LIMIT_PER_SECOND,
      metricsPrefix: values.METRICS_PREFIX,
    },
  };
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) freeze(part);
    Object.freeze(value);
  }
  return value;
}
