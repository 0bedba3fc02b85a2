/**
 * One believable failure for every error code, as the parts of the program throw them. The golden
 * files in test/golden show what a person reads. The type makes a code without a sample an error.
 */

import type { ErrorCode } from '../../../src/errors/catalogue.ts';
import { DeployError, type DeployErrorOptions } from '../../../src/errors/deploy-error.ts';

/** What a test renders: the failure, and what the runner knows about the database. */
export type Sample = {
  readonly error: unknown;
  readonly database: string;
  readonly exitCode?: number;
  readonly reportPath?: string;
};

/** A secret that has got into every place where one could: no golden file may show it. */
export const plantedSecret = 'hunter2)"@/';

const untouched = 'bamort is at 0.4.0, not touched';
const back =
  'bamort is at 0.4.0, as before this run: restored from backup_20260116_103000 and compared';
const reportPath = '/reports/deployment_20260116_103000.json';
const file = 'migrations/0.5.0/0004_add_learning_category.up.sql';

function serverError(errno: number, code: string, message: string): Error {
  return Object.assign(new Error(message), { errno, code, sqlMessage: message, sqlState: 'HY000' });
}

function sample(
  code: ErrorCode,
  message: string,
  options: DeployErrorOptions = {},
  state: Omit<Partial<Sample>, 'error'> = {},
): Sample {
  return { error: new DeployError(code, message, options), database: untouched, ...state };
}

function makeBug(): Error {
  const error = new TypeError("Cannot read properties of undefined (reading 'rows')");
  error.stack = `TypeError: ${plantedSecret}\n    at planOf (file:///app/src/run/plan.ts:12:3)\n    at async up (file:///app/src/run/up.ts:40:5)`;
  return error;
}

/** The samples, by code. */
export const samples: Readonly<Record<ErrorCode, Sample>> = {
  INTERNAL: { error: makeBug(), database: untouched, reportPath },
  USAGE: sample('USAGE', "unknown option '--stepz'", {}, { database: 'not touched' }),
  CONFIG_INVALID: sample(
    'CONFIG_INVALID',
    'the configuration has 3 problems',
    {
      facts: {
        problems: [
          'DB_PORT must be a whole number from 1 to 65535, not 99999',
          'DB_PASSWORD is not set (set it to an empty value if the account has none)',
          'DB_PASWORD is not known: is DB_PASSWORD meant?',
        ],
      },
    },
    { database: 'not touched' },
  ),
  LOCK_HELD: sample('LOCK_HELD', 'another run holds the deploy lock', {
    where: 'held by connection 812 from 10.0.3.7, user deploy, for 14 min',
    facts: { problems: ['waited 600 s for lock deploy:bamort'] },
  }),
  LOCK_LOST: sample(
    'LOCK_LOST',
    'the deploy lock was lost in the middle of the run',
    { cause: serverError(2013, 'PROTOCOL_CONNECTION_LOST', 'Connection lost') },
    { database: 'bamort is between 0.4.0 and 0.5.0', exitCode: 23, reportPath },
  ),
  SERVER_UNREACHABLE: sample(
    'SERVER_UNREACHABLE',
    'no database server answered within 120 s',
    {
      where: 'db:3306',
      cause: new AggregateError([
        Object.assign(new Error('connect ECONNREFUSED 10.0.3.2:3306'), { code: 'ECONNREFUSED' }),
      ]),
    },
    { database: 'not touched' },
  ),
  SERVER_STARTING: sample(
    'SERVER_STARTING',
    'the database server is not ready after 120 s',
    { where: 'db:3306' },
    { database: 'not touched' },
  ),
  ACCESS_DENIED: sample(
    'ACCESS_DENIED',
    'the server refused the account deploy',
    {
      where: 'db:3306',
      cause: serverError(
        1045,
        'ER_ACCESS_DENIED_ERROR',
        "Access denied for user 'deploy'@'10.0.3.5' (using password: YES)",
      ),
    },
    { database: 'not touched' },
  ),
  DATABASE_MISSING: sample(
    'DATABASE_MISSING',
    'there is no database bamort on the server',
    { where: 'db:3306', cause: serverError(1049, 'ER_BAD_DB_ERROR', "Unknown database 'bamort'") },
    { database: 'not touched' },
  ),
  SERVER_UNSUPPORTED: sample('SERVER_UNSUPPORTED', 'the server is MariaDB 10.5.29', {
    where: 'db:3306',
  }),
  SERVER_READ_ONLY: sample('SERVER_READ_ONLY', 'the server is a replica', { where: 'db:3306' }),
  CONNECTION_LOST: sample(
    'CONNECTION_LOST',
    'the connection broke while the backup was taken',
    { cause: Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }) },
    { reportPath },
  ),
  QUERY_FAILED: sample('QUERY_FAILED', 'the tables of the database could not be read', {
    cause: serverError(1146, 'ER_NO_SUCH_TABLE', "Table 'information_schema.x' doesn't exist"),
  }),
  RIGHT_MISSING: sample('RIGHT_MISSING', 'the account deploy lacks 2 rights', {
    facts: {
      problems: [
        "GRANT ALL ON `bamort`.* TO 'deploy'@'%'",
        "GRANT ALL ON `bamort\\_deploy\\_%`.* TO 'deploy'@'%'",
      ],
    },
  }),
  NOT_CONFIRMED: sample('NOT_CONFIRMED', 'going back to 0.4.0 was not confirmed'),
  CHECKSUM_CHANGED: sample('CHECKSUM_CHANGED', 'migration 0003 has changed since it was applied', {
    where: 'migrations/0.4.0/0003_rename_tables.up.sql',
  }),
  MIGRATION_MISSING: sample('MIGRATION_MISSING', 'migration 0003 is applied, and has no file'),
  OUT_OF_ORDER: sample('OUT_OF_ORDER', 'migration 0002 is pending, and 0003 is applied', {
    where: 'migrations/0.4.0/0002_late.up.sql',
  }),
  STEP_TOO_LONG: sample('STEP_TOO_LONG', 'the way from 0.3.0 to 0.5.0 is longer than one version', {
    facts: { problems: ['the way is 0.3.0, 0.4.0, 0.5.0'] },
  }),
  DATABASE_AHEAD: sample(
    'DATABASE_AHEAD',
    'the database is at 0.6.0, and 0.5.0 is required',
    {},
    {
      database: 'bamort is at 0.6.0, not touched',
    },
  ),
  ROLLED_BACK: sample('ROLLED_BACK', 'the database was taken back from 0.5.0 to 0.4.0'),
  SCHEMA_UNKNOWN: sample('SCHEMA_UNKNOWN', 'the tables are those of no known version', {
    facts: {
      problems: ['table `skills`: column `notes` is not in 0.3.0', 'table `extra`: unknown'],
    },
  }),
  HISTORY_UNREADABLE: sample('HISTORY_UNREADABLE', 'the history cannot be read', {
    where: 'table migration_history, column success',
  }),
  HISTORY_INCOMPLETE: sample(
    'HISTORY_INCOMPLETE',
    'migration 4 add_learning_category was applied by run 20260116T103000Z-4f1c2a, and its row is gone from migration_history',
    {
      where: 'migration_history',
      next: [
        "bring the rows back: INSERT INTO migration_history (migration_number, version, description, success, rollback_available) VALUES (4, '0.5.0', 'learning category', 1, 1);",
        'if somebody put the database back by hand: DROP TABLE deploy_run, deploy_journal; both are made again',
      ],
    },
  ),
  STATEMENT_FORBIDDEN: sample('STATEMENT_FORBIDDEN', 'GRANT may not stand in a migration', {
    where: `${file}:3`,
  }),
  MIGRATION_UNSOUND: sample(
    'MIGRATION_UNSOUND',
    'migration 0004 add_learning_category fails on statement 2 of 3, tried on an empty copy',
    {
      where: `${file}:7`,
      cause: serverError(1060, 'ER_DUP_FIELDNAME', "Duplicate column name 'learning_category'"),
    },
    { reportPath },
  ),
  DATA_LOSS: sample('DATA_LOSS', 'going back to 0.4.0 would lose rows', {
    facts: {
      problems: ['table `learning_categories`: 12 rows', 'column `skills`.`note`: 3 values'],
    },
  }),
  NOT_REVERSIBLE: sample('NOT_REVERSIBLE', 'migration 0004 has no down file', { where: file }),
  NO_TARGET: sample('NO_TARGET', 'there is no version 0.4.9 behind 0.5.0'),
  RUN_OPEN: sample('RUN_OPEN', 'run 20260116T103000Z-4f1c2a is not ended (changing)'),
  CHOICE_REFUSED: sample(
    'CHOICE_REFUSED',
    '--continue is not possible: statement 1 of migration 4 took effect, and the file has another text for it now',
    { where: 'run 20260116T103000Z-4f1c2a, changing' },
    { database: 'bamort is at 0.4.0, not touched' },
  ),
  SPACE_SHORT: sample('SPACE_SHORT', 'the disk has not enough space for the backup', {
    where: '/backups',
    facts: { problems: ['needed are 590 MB, free are 120 MB'] },
  }),
  BACKUP_FAILED: sample('BACKUP_FAILED', 'the backup could not be taken', {
    cause: new DeployError('BACKUP_FAILED', 'mariadb-dump ended with 3', {
      where: 'table `spells`',
      cause: Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }),
    }),
  }),
  BACKUP_NOT_PROVEN: sample('BACKUP_NOT_PROVEN', 'the restored backup differs from the database', {
    where: 'backup_20260116_103000',
    facts: { problems: ['table `spells`: 413 rows, restored 412'] },
  }),
  SCRATCH_FAILED: sample('SCRATCH_FAILED', 'the private server did not start', {
    where: '/scratch/scratch-7f3a/error.log',
  }),
  MIGRATION_FILE_INVALID: sample(
    'MIGRATION_FILE_INVALID',
    '2 problems in the migrations folder',
    {
      where: `${file}:9`,
      facts: {
        problems: [
          { where: `${file}:9`, message: 'the quote that begins here does not end' },
          { where: 'migrations/0.5.0/0005.up.sql', message: 'the name has no description' },
        ],
      },
    },
    { database: 'not touched' },
  ),
  BACKUP_SET_INVALID: sample('BACKUP_SET_INVALID', 'the backup set is damaged', {
    where: 'backup_20260116_103000/tables-1.sql.zst',
    facts: { problems: ['the checksum is not that of the manifest'] },
  }),
  BUNDLE_INVALID: sample(
    'BUNDLE_INVALID',
    'the checksum of masterdata/spells.json is not that of checksums.txt',
    { where: '/packages/deployment_package_0.5.0.tar.gz' },
  ),
  BUNDLE_FAILED: sample('BUNDLE_FAILED', 'the package could not be unpacked', {
    where: '/tmp',
    cause: Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }),
  }),
  MASTERDATA_INVALID: sample('MASTERDATA_INVALID', 'the master data has 2 problems', {
    where: 'skills.json data[3] (Klettern, midgard)',
    facts: {
      problems: [
        {
          where: 'skills.json data[3] (Klettern, midgard)',
          message: 'source_code: no row of sources is BDW9',
        },
        {
          where: 'spells.json data[0] (Lichtkreis, midgard)',
          message: 'learning_category: 31 characters, and the column holds 25',
        },
      ],
    },
  }),
  INTERRUPTED: sample('INTERRUPTED', 'the run was told to stop (SIGTERM)'),
  MIGRATION_FAILED: sample(
    'MIGRATION_FAILED',
    'migration 0004 add_learning_category failed on statement 2 of 3',
    {
      where: `${file}:7`,
      cause: serverError(1062, 'ER_DUP_ENTRY', `Duplicate entry '${plantedSecret}' for key 'name'`),
    },
    { database: back, exitCode: 20, reportPath },
  ),
  TABLES_IN_USE: sample(
    'TABLES_IN_USE',
    'migration 0004 add_learning_category failed on statement 2 of 3',
    {
      where: `${file}:7`,
      cause: new DeployError(
        'TABLES_IN_USE',
        'tables of bamort stayed in use for 60 s, by backend from 10.0.0.5 (connection 12, idle in a transaction for 342 s)',
        {
          cause: serverError(
            1205,
            'ER_LOCK_WAIT_TIMEOUT',
            'Lock wait timeout exceeded; try restarting transaction',
          ),
        },
      ),
      next: [
        'end the sessions that use the tables: KILL CONNECTION 12;',
        'then run the same command again; FENCE_USERS keeps accounts out by itself',
      ],
    },
    { database: back, exitCode: 20, reportPath },
  ),
  VALIDATION_FAILED: sample(
    'VALIDATION_FAILED',
    'the database is not valid after the change to 0.5.0: 1 errors',
    {
      facts: {
        problems: [
          'gsm_spells.source_id points to 2 rows that are not there; keys 4, 9; add the sources or correct the rows',
        ],
      },
    },
    { database: back, exitCode: 20, reportPath },
  ),
  INSTALL_FAILED: sample(
    'INSTALL_FAILED',
    'what the application does on a fresh installation failed',
    {
      where: 'masterdata/install.ts',
      cause: serverError(1062, 'ER_DUP_ENTRY', "Duplicate entry 'x' for key 'email'"),
    },
    { database: back, exitCode: 20, reportPath },
  ),
  NOT_EMPTY: sample('NOT_EMPTY', 'bamort has 47 tables and is at 0.5.0: it is not installed again'),
  ADMIN_MISSING: sample(
    'ADMIN_MISSING',
    'a fresh installation makes an administrator: ADMIN_PASSWORD not set',
    { where: 'masterdata/install.ts' },
  ),
  MASTERDATA_FAILED: sample(
    'MASTERDATA_FAILED',
    'the sync would take rows that are not its own',
    {
      where: 'table char_skills: 412 rows before, 400 after',
      facts: { problems: ['table char_skills: 412 rows before, 400 after'] },
    },
    { database: back, exitCode: 20, reportPath },
  ),
  RECORD_FAILED: sample(
    'RECORD_FAILED',
    'version 0.5.0 could not be recorded',
    { cause: serverError(1114, 'ER_RECORD_FILE_FULL', "The table 'schema_version' is full") },
    { database: back, exitCode: 20, reportPath },
  ),
  RECONCILE_FAILED: sample(
    'RECONCILE_FAILED',
    'the table users: index unique (email) could not be added',
    {
      where: 'table users',
      cause: serverError(1062, 'ER_DUP_ENTRY', "Duplicate entry 'hunter2' for key 'email'"),
    },
    { database: back, exitCode: 20, reportPath },
  ),
  RESTORE_FAILED: sample(
    'RESTORE_FAILED',
    'backup_20260116_103000 could not be restored',
    {
      where: 'table `spells`',
      cause: serverError(1114, 'ER_RECORD_FILE_FULL', "The table 'spells' is full"),
    },
    { database: 'bamort is at 0.5.0, not touched', exitCode: 20, reportPath },
  ),
  RUN_UNDECIDED: sample(
    'RUN_UNDECIDED',
    'whether statement 2 of migration 0004 took effect cannot be told',
    { where: `${file}:7` },
    { database: back, exitCode: 20, reportPath },
  ),
  PUT_BACK_FAILED: sample(
    'PUT_BACK_FAILED',
    'migration 0004 failed and the database could not be put back',
    {
      where: 'backup set backup_20260116_103000, table `spells`',
      cause: new DeployError('RESTORE_FAILED', 'the restore stopped', {
        cause: serverError(
          2013,
          'PROTOCOL_CONNECTION_LOST',
          `Lost connection, pw ${plantedSecret}`,
        ),
      }),
    },
    {
      database: 'UNKNOWN: do not start the application. The backup set is intact',
      exitCode: 22,
      reportPath,
    },
  ),
};
