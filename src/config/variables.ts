/**
 * Every environment variable that this program reads, as data. Reading, checking, the text of
 * `deploy help env` and the table in the README all come from here.
 */

import {
  accountNames,
  exactText,
  metricPrefix,
  oneOf,
  positiveNumber,
  seconds,
  text,
  versionNumber,
  webAddress,
  wholeNumber,
  yesOrNo,
} from './parsers.ts';

/** Variables that belong together; the value is the heading in the help. */
export const groups = {
  database: 'Database',
  run: 'The run',
  folders: 'Folders and files',
  application: 'The application',
  log: 'Messages',
  sidecar: 'The sidecar',
} as const;

type Remarks = {
  /** The default in words, where the value alone does not say it. */
  readonly defaultText?: string;
  /** Never printed. A secret can also be read from the file that NAME_FILE names. */
  readonly secret?: true;
  /** Not a secret, but NAME_FILE is read too. */
  readonly file?: true;
  /** An empty value is a value; for every other variable it means "not set". */
  readonly mayBeEmpty?: true;
};

/** One variable. `T` is the type of its value once it is read. */
export type Variable<T, D extends string | null = string | null> = Remarks & {
  readonly group: keyof typeof groups;
  /** Gives the value, or throws an Error whose message continues "NAME …". */
  readonly parse: ((value: string) => T) & { readonly choices?: readonly string[] };
  /** What counts when the variable is not set, read by the same parser; null for nothing. */
  readonly default: D;
  readonly description: string;
};

function inGroup(group: keyof typeof groups) {
  return <T, const D extends string | null>(
    parse: (value: string) => T,
    byDefault: D,
    description: string,
    remarks: Remarks = {},
  ): Variable<T, D> => ({ group, parse, default: byDefault, description, ...remarks });
}

const database = inGroup('database');
const run = inGroup('run');
const folders = inGroup('folders');
const application = inGroup('application');
const log = inGroup('log');
const sidecar = inGroup('sidecar');

/** The table. The order here is the order in the help. */
export const variables = {
  DATABASE_URL: database(
    exactText,
    null,
    'the database in one value: mysql://user:password@host:port/name or the Go form user:password@tcp(host:port)/name',
    { secret: true },
  ),
  DB_HOST: database(
    text,
    null,
    'host of the server, or the path of its Unix socket (begins with /)',
  ),
  DB_PORT: database(wholeNumber(1, 65535), null, 'port of the server', { defaultText: '3306' }),
  DB_NAME: database(text, null, 'name of the database'),
  DB_USER: database(text, null, 'account to connect with', { file: true }),
  DB_PASSWORD: database(exactText, null, 'its password; set and empty if it has none', {
    secret: true,
    mayBeEmpty: true,
  }),
  DB_WAIT_SECONDS: database(seconds, '120', 'how long to wait for the server to be ready'),

  REQUIRED_DB_VERSION: run(versionNumber, null, 'exact version that the database must reach', {
    defaultText: 'highest folder in MIGRATIONS_DIR',
  }),
  UPDATE_PATH: run(
    oneOf('next', 'stepwise'),
    'next',
    'refuse a way of more than one version, or walk it version by version, each with its own backup',
  ),
  ON_FAILURE: run(
    oneOf('restore', 'stop'),
    'restore',
    'after a failed change put the proven backup back, or leave everything for a person to look at',
  ),
  BACKUP: run(
    oneOf('before-change', 'always'),
    'before-change',
    'before every change, or also when there is nothing to do',
  ),
  BACKUP_RETENTION_DAYS: run(wholeNumber(0, 36_500), '30', 'age at which a backup set may go'),
  BACKUP_KEEP_LAST: run(wholeNumber(1, 10_000), '3', 'newest backup sets that stay at any age'),
  MASTERDATA: run(
    oneOf('changed', 'always', 'off'),
    'changed',
    'sync master data when it has changed, in every run (which reverts production edits at every start), or never',
  ),
  SAFETY_NET: run(
    oneOf('additive', 'report', 'off'),
    'additive',
    'add what the expected schema has and the database lacks, only report it, or do not look',
  ),
  VALIDATE: run(
    oneOf('errors', 'strict', 'off'),
    'errors',
    'fail the run if checks find new errors, if they find any, or do not check',
  ),
  FENCE: run(
    oneOf('require', 'warn', 'off'),
    'warn',
    'keep writers out during a change; without that right refuse, warn, or do not try at all',
  ),
  FENCE_USERS: run(accountNames, '', 'accounts to keep out, without host, separated by commas'),
  LOCK_WAIT_SECONDS: run(
    seconds,
    '600',
    'how long to wait for another run to end, and (at most 60) for tables in use',
  ),
  STOP_GRACE_SECONDS: run(seconds, '8', 'how long a run may go on after SIGTERM to end safely'),
  BACKEND_VERSION: run(text, null, 'version of the backend that this image belongs to; recorded'),
  BACKEND_COMMIT: run(text, null, 'commit of that backend; shown'),
  BACKEND_BUILD_DATE: run(text, null, 'build date of that backend; shown'),

  BACKUP_DIR: folders(text, '/backups', 'where backup sets are kept'),
  SCRATCH_DIR: folders(
    text,
    '/scratch',
    'for the private server that proves backups; needs about twice the size of the database',
  ),
  REPORT_DIR: folders(text, '/reports', 'where reports and log files are written'),
  MIGRATIONS_DIR: folders(text, null, 'migrations of the application', {
    defaultText: 'those of the image',
  }),
  MASTERDATA_DIR: folders(text, null, 'master data of the application', {
    defaultText: 'that of the image, if any',
  }),
  PACKAGE: folders(text, null, 'deployment package to take master data from'),

  ADMIN_USER: application(text, null, 'first administrator of a fresh installation', {
    file: true,
  }),
  ADMIN_EMAIL: application(text, null, 'e-mail address of that administrator'),
  ADMIN_PASSWORD: application(exactText, null, 'password of that administrator', { secret: true }),

  LOG_LEVEL: log(
    oneOf('trace', 'debug', 'info', 'warn', 'error', 'silent'),
    'info',
    'least important message to show',
  ),
  LOG_FORMAT: log(
    oneOf('auto', 'text', 'json'),
    'auto',
    'readable lines on a terminal and JSON lines otherwise, or always one of them',
  ),

  HEALTH_HOST: sidecar(text, '0.0.0.0', 'address to listen on'),
  HEALTH_PORT: sidecar(wholeNumber(0, 65535), '8183', 'port to listen on'),
  HEALTH_CACHE_SECONDS: sidecar(seconds, '2', 'how long an answer is used again'),
  BASE_URL: sidecar(
    webAddress,
    null,
    'address of the application: its pages may read the sidecar from another origin (CORS)',
  ),
  TRUST_PROXY: sidecar(yesOrNo, 'false', 'believe the X-Forwarded-For header of a proxy in front'),
  RATE_LIMIT_PER_SECOND: sidecar(positiveNumber, '1', 'requests of one address in a second'),
  METRICS_PREFIX: sidecar(metricPrefix, 'bamort', 'first part of the names of the metrics'),
} as const;

/** The name of a variable of the table. */
export type VariableName = keyof typeof variables;

/** The value of each variable once it is read; undefined when not set and without a default. */
export type VariableValues = {
  readonly [Name in VariableName]: (typeof variables)[Name] extends Variable<infer T, infer D>
    ? D extends string
      ? T
      : T | undefined
    : never;
};

/** All names of the table, in its order. */
export const variableNames = Object.keys(variables) as readonly VariableName[];

/** The entry of a name of the table, whatever the type of its value. */
export function variable(name: VariableName): Variable<unknown> {
  return variables[name];
}

/** True when NAME_FILE is read too: for every secret, and for the variables that say so. */
export function hasFileForm(name: VariableName): boolean {
  return variable(name).secret === true || variable(name).file === true;
}
