/**
 * Every failure that this program can explain, as data: `docs/errors.md`, the exit code and the
 * default next step all come from here. A code is public: scripts match it; it is never reused.
 *
 * `exitCode` is what the process returns when nothing was changed yet. Once a run has begun to
 * change the database the *outcome* decides instead (20 put back, 21 left, 22 stuck, 23 cut off).
 */
export type CatalogueEntry = {
  /** 2 … 23, see DESIGN §7. */
  readonly exitCode: number;
  /** One plain sentence: what this code means, for `docs/errors.md`. */
  readonly meaning: string;
  /** Where to look when the thrower names no exact place. */
  readonly where: string;
  /** What the reader can do; whole sentences or commands, one per entry. May be replaced by the thrower. */
  readonly next: readonly string[];
};

export const catalogue = {
  INTERNAL: {
    exitCode: 1,
    meaning: 'A bug in this program: a case that it does not know how to explain.',
    where: 'this program; its stack is below',
    next: [
      'keep the report and the log and report the bug; nothing else is started by this program',
    ],
  },
  USAGE: {
    exitCode: 2,
    meaning: 'The command line has an unknown command, option or value.',
    where: 'the command line',
    next: ['deploy help'],
  },
  CONFIG_INVALID: {
    exitCode: 10,
    meaning: 'One or more environment variables are missing or have a value that cannot be used.',
    where: 'the environment of this process',
    next: ['correct the variables named above; deploy help env lists all of them'],
  },
  LOCK_HELD: {
    exitCode: 11,
    meaning: 'Another run holds the deploy lock of this database and did not end in time.',
    where: 'the deploy lock of this database',
    next: [
      'wait for that run to end, then run the same command again',
      'deploy unlock shows the holder and frees a dead one',
    ],
  },
  LOCK_LOST: {
    exitCode: 11,
    meaning:
      'The connection that holds the deploy lock was lost, or another run took the lock over.',
    where: 'the deploy lock of this database',
    next: ['run the same command again: it finishes the run or puts the database back'],
  },
  SERVER_UNREACHABLE: {
    exitCode: 12,
    meaning: 'No database server answered at the configured address within the waiting time.',
    where: 'the database server that DB_HOST and DB_PORT name',
    next: [
      'check that the server runs and that DB_HOST and DB_PORT are right',
      'DB_WAIT_SECONDS sets how long to wait',
    ],
  },
  SERVER_STARTING: {
    exitCode: 12,
    meaning:
      'The server answers but is not ready: it is still starting, or it is the temporary server of the image’s first start.',
    where: 'the database server that DB_HOST and DB_PORT name',
    next: ['wait until the server is up; DB_WAIT_SECONDS sets how long this program waits'],
  },
  ACCESS_DENIED: {
    exitCode: 12,
    meaning: 'The server refused the account or the password.',
    where: 'the account that DB_USER names, on the database server',
    next: [
      'check DB_USER and DB_PASSWORD (or DB_PASSWORD_FILE), and from which hosts the account may connect',
    ],
  },
  DATABASE_MISSING: {
    exitCode: 12,
    meaning: 'The server has no database of the configured name, or the account may not see it.',
    where: 'the database that DB_NAME names',
    next: ['create the database or correct DB_NAME'],
  },
  SERVER_UNSUPPORTED: {
    exitCode: 12,
    meaning: 'The server is not MariaDB 10.6 or later.',
    where: 'the database server that DB_HOST and DB_PORT name',
    next: ['use MariaDB 10.6 or later; 10.11 and 11.8 are tested'],
  },
  SERVER_READ_ONLY: {
    exitCode: 12,
    meaning: 'The server is read-only or a replica: changes must go to its primary.',
    where: 'the database server that DB_HOST and DB_PORT name',
    next: ['point DB_HOST to the primary, or end the read-only state'],
  },
  CONNECTION_LOST: {
    exitCode: 12,
    meaning: 'The connection to the server broke.',
    where: 'the connection to the database server',
    next: ['run the same command again: it finishes the run or puts the database back'],
  },
  QUERY_FAILED: {
    exitCode: 12,
    meaning:
      'The server refused a statement of this program’s own that should work on every supported server.',
    where: 'the database server that DB_HOST and DB_PORT name',
    next: ['deploy doctor checks the server, the account and its rights'],
  },
  RIGHT_MISSING: {
    exitCode: 13,
    meaning: 'The account lacks a right that the run needs.',
    where: 'the account that DB_USER names, on the database server',
    next: ['let an administrator run the GRANT statements above'],
  },
  NOT_CONFIRMED: {
    exitCode: 13,
    meaning: 'The command destroys data or goes back, and nobody confirmed it.',
    where: 'the command line',
    next: ['answer yes on a terminal, or add --yes'],
  },
  CHECKSUM_CHANGED: {
    exitCode: 13,
    meaning: 'The file of a migration that is already applied has changed since.',
    where: 'the folder that MIGRATIONS_DIR names',
    next: ['bring the file back as it was, and put the change into a new migration'],
  },
  MIGRATION_MISSING: {
    exitCode: 13,
    meaning: 'A migration is recorded as applied, and its file is not in this image.',
    where: 'the folder that MIGRATIONS_DIR names',
    next: ['use an image that has the file'],
  },
  OUT_OF_ORDER: {
    exitCode: 13,
    meaning: 'A pending migration has a lower number than one that is already applied.',
    where: 'the folder that MIGRATIONS_DIR names',
    next: ['give the migration the next free number'],
  },
  STEP_TOO_LONG: {
    exitCode: 13,
    meaning: 'The database is more than one version behind and UPDATE_PATH is next.',
    where: 'the version of the database against the version that this image requires',
    next: ['deploy the versions in between first, or set UPDATE_PATH=stepwise'],
  },
  DATABASE_AHEAD: {
    exitCode: 13,
    meaning: 'The database is newer than this image: the backend is too old for it.',
    where: 'the version of the database against the version that this image requires',
    next: ['use the newer release, or go back with: docker compose run --rm deploy rollback'],
  },
  ROLLED_BACK: {
    exitCode: 13,
    meaning:
      'Somebody went back from the version that this image requires; a restart must not undo that.',
    where: 'the version of the database against the version that this image requires',
    next: ['use the older release, or go forward again on purpose: deploy up --forward'],
  },
  SCHEMA_UNKNOWN: {
    exitCode: 13,
    meaning: 'The database has tables but no history, and equals no version that this image knows.',
    where: 'the tables of the database',
    next: [
      'compare the difference above; remove what does not belong there, or restore a known state',
    ],
  },
  HISTORY_UNREADABLE: {
    exitCode: 13,
    meaning:
      'The version tables or the tables of this program were changed in a way that it cannot read.',
    where: 'the version tables of the database',
    next: ['restore the tables named above from the last backup set'],
  },
  HISTORY_INCOMPLETE: {
    exitCode: 13,
    meaning:
      'The history lacks a table or rows that were there: what was applied would be applied again.',
    where: 'the version tables of the database',
    next: ['bring the rows back; docs/runbook.md, section A table of the history was changed'],
  },
  STATEMENT_FORBIDDEN: {
    exitCode: 13,
    meaning:
      'A migration holds a statement that may not stand in a migration, or that cannot be resumed exactly.',
    where: 'the folder that MIGRATIONS_DIR names',
    next: ['rewrite the statement; migrations/README.md has the rules'],
  },
  MIGRATION_UNSOUND: {
    exitCode: 13,
    meaning:
      'A migration failed on an empty copy of the database structure, so it was not tried on the database.',
    where: 'the folder that MIGRATIONS_DIR names',
    next: ['correct the statement and build the image again, then: docker compose up deploy'],
  },
  DATA_LOSS: {
    exitCode: 13,
    meaning: 'Going back would lose rows or columns.',
    where: 'the way back from the version of the database',
    next: ['add --accept-data-loss to go back all the same; a proven backup is taken before'],
  },
  NOT_REVERSIBLE: {
    exitCode: 13,
    meaning:
      'A migration on the way back has no down file, or one that would drop what existed before it.',
    where: 'the folder that MIGRATIONS_DIR names',
    next: ['deploy backup list shows the sets; then: deploy restore --backup NAME'],
  },
  NO_TARGET: {
    exitCode: 13,
    meaning:
      'The version or the migration to go to does not exist or does not lie behind the database.',
    where: 'the command line',
    next: ['deploy status shows what is applied'],
  },
  RUN_OPEN: {
    exitCode: 13,
    meaning: 'An earlier run did not end, so that the database may be half-way.',
    where: 'the run that deploy status shows',
    next: [
      'deploy up finishes it or puts it back',
      'deploy resolve shows what it left, and lets you decide',
    ],
  },
  CHOICE_REFUSED: {
    exitCode: 13,
    meaning: 'What was chosen cannot be done with the run, or the migration, as it is.',
    where: 'the run that deploy status shows',
    next: ['deploy resolve shows the choices that there are'],
  },
  SPACE_SHORT: {
    exitCode: 14,
    meaning: 'A disk has not enough free space for the backup or for its proof.',
    where: 'the folders that BACKUP_DIR and SCRATCH_DIR name',
    next: ['free space or use a larger volume; the numbers are above'],
  },
  BACKUP_FAILED: {
    exitCode: 14,
    meaning: 'The backup could not be taken in full; the unfinished set was removed.',
    where: 'the folder that BACKUP_DIR names',
    next: ['correct the cause above, then run the same command again'],
  },
  BACKUP_NOT_PROVEN: {
    exitCode: 14,
    meaning:
      'The backup was taken, but what it restores to differs from the database; the set was removed.',
    where: 'the folder that BACKUP_DIR names',
    next: ['see the objects named above; report it if the database is not being changed by others'],
  },
  SCRATCH_FAILED: {
    exitCode: 14,
    meaning:
      'The private server that proves backups and tries migrations did not start or stopped.',
    where: 'the folder that SCRATCH_DIR names',
    next: [
      'check SCRATCH_DIR (rights, space) and that mariadbd is installed; deploy doctor checks both',
    ],
  },
  MIGRATION_FILE_INVALID: {
    exitCode: 15,
    meaning: 'A file in the migrations folder cannot be read or is not well formed.',
    where: 'the folder that MIGRATIONS_DIR names',
    next: ['correct the file named above and build the image again'],
  },
  BACKUP_SET_INVALID: {
    exitCode: 15,
    meaning: 'A backup set is damaged, incomplete, foreign or of a newer format.',
    where: 'the folder that BACKUP_DIR names',
    next: ['deploy backup list shows the sets that can be used'],
  },
  BUNDLE_INVALID: {
    exitCode: 15,
    meaning:
      'A deployment package is damaged, manipulated, for another version, or no package at all.',
    where: 'the file that PACKAGE or --package names',
    next: ['make the package again with deploy prepare, and copy it again'],
  },
  BUNDLE_FAILED: {
    exitCode: 15,
    meaning: 'A deployment package could not be written or unpacked: the file system refused.',
    where: 'the folder of the package',
    next: ['correct the cause above, then run the same command again'],
  },
  MASTERDATA_INVALID: {
    exitCode: 15,
    meaning:
      'The master data, or its declaration in entities.json, cannot be used: nothing of it was written.',
    where: 'the folder that MASTERDATA_DIR names',
    next: [
      'correct what is listed above and build the image again; masterdata/README.md has the rules',
    ],
  },
  INTERRUPTED: {
    exitCode: 16,
    meaning: 'The run was told to stop (SIGTERM or SIGINT).',
    where: 'this process',
    next: ['run the same command again'],
  },
  MIGRATION_FAILED: {
    exitCode: 20,
    meaning: 'A statement of a migration failed on the database.',
    where: 'the folder that MIGRATIONS_DIR names',
    next: [
      'correct the statement and build the image again, then: docker compose up deploy',
      'or bring the old release back: RELEASE=OLD docker compose up -d --no-build',
    ],
  },
  TABLES_IN_USE: {
    exitCode: 20,
    meaning: 'Other sessions kept tables in use for longer than LOCK_WAIT_SECONDS, or a minute.',
    where: 'the application’s database',
    next: ['end the sessions that use the tables, then run the same command again'],
  },
  MASTERDATA_FAILED: {
    exitCode: 20,
    meaning: 'The master data could not be written, or would have taken rows that are not its own.',
    where: 'the tables of the master data',
    next: ['correct the cause above, then: docker compose up deploy'],
  },
  RECORD_FAILED: {
    exitCode: 20,
    meaning: 'The new version could not be recorded.',
    where: 'the version tables of the database',
    next: ['correct the cause above, then: docker compose up deploy'],
  },
  RECONCILE_FAILED: {
    exitCode: 20,
    meaning: 'Something that the schema lacks could not be added; existing rows may be the reason.',
    where: 'the schema of the database',
    next: [
      'correct the rows, or write a migration that does; then: docker compose up deploy',
      'SAFETY_NET=report only lists what is missing',
    ],
  },
  VALIDATION_FAILED: {
    exitCode: 20,
    meaning: 'After the change the database has errors that it had not before.',
    where: 'the database after the change',
    next: ['correct the migrations or the master data, then: docker compose up deploy'],
  },
  INSTALL_FAILED: {
    exitCode: 20,
    meaning:
      'What the application does on a fresh installation besides its tables and rows failed.',
    where: 'install.ts in the master data folder',
    next: ['correct the cause above, then: docker compose up deploy'],
  },
  ADMIN_MISSING: {
    exitCode: 13,
    meaning: 'A fresh installation makes an administrator, and nobody said who.',
    where: 'the environment of this process',
    next: ['set ADMIN_USER, ADMIN_EMAIL and ADMIN_PASSWORD (or ADMIN_PASSWORD_FILE)'],
  },
  NOT_EMPTY: {
    exitCode: 13,
    meaning: 'A fresh installation was asked for, and the database already holds something.',
    where: 'the database that DB_NAME names',
    next: ['deploy status shows what is there; deploy up brings it to the required version'],
  },
  RESTORE_FAILED: {
    exitCode: 20,
    meaning: 'A restore failed before the restored tables were swapped in.',
    where: 'the folder that BACKUP_DIR names',
    next: ['correct the cause above, then run the same command again'],
  },
  RUN_UNDECIDED: {
    exitCode: 20,
    meaning:
      'An earlier run was cut off inside a statement, and whether that took effect cannot be told.',
    where: 'the journal of the earlier run',
    next: ['run the same command again'],
  },
  PUT_BACK_FAILED: {
    exitCode: 22,
    meaning: 'The run failed and the database could not be put back: a person must look.',
    where: 'the database and the backup set of this run',
    next: [
      'do not start the application',
      'run the same command again: it goes on putting back',
      'deploy resolve shows what differs and which other ways there are',
      'docs/runbook.md, section Restore by hand',
    ],
  },
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof catalogue;
