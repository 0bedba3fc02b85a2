import type { Db } from '../database/connect.ts';

/** The two tables of the application that say which version its database has. */
export const VERSION_TABLES = ['schema_version', 'migration_history'] as const;

export type VersionTable = (typeof VERSION_TABLES)[number];

/** Every column that this program reads or writes; a table without one of them is refused. */
export const VERSION_TABLE_COLUMNS: Readonly<Record<VersionTable, readonly string[]>> = {
  schema_version: [
    'id',
    'version',
    'migration_number',
    'applied_at',
    'backend_version',
    'description',
    'checksum',
  ],
  migration_history: [
    'id',
    'migration_number',
    'version',
    'description',
    'applied_at',
    'applied_by',
    'execution_time_ms',
    'success',
    'error_message',
    'rollback_available',
  ],
};

/**
 * Creates the two version tables in the connection's database where they are missing, exactly
 * as Bamort's backend has them: `applied_at` is a BIGINT of Unix seconds, because the backend
 * would turn a TIMESTAMP into one and ruin the times (reference/bamort.md §0.3). Existing tables
 * are left as they are. Commits implicitly; needs the lock.
 */
export async function ensureVersionTables(db: Db): Promise<void> {
  await db.run(`CREATE TABLE IF NOT EXISTS \`schema_version\` (
  \`id\` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  \`version\` varchar(20) NOT NULL,
  \`migration_number\` bigint(20) NOT NULL,
  \`applied_at\` bigint(20) DEFAULT NULL,
  \`backend_version\` varchar(20) NOT NULL,
  \`description\` text DEFAULT NULL,
  \`checksum\` varchar(64) DEFAULT NULL,
  PRIMARY KEY (\`id\`),
  KEY \`idx_schema_version_version\` (\`version\`),
  KEY \`idx_schema_version_migration_number\` (\`migration_number\`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci`);
  await db.run(`CREATE TABLE IF NOT EXISTS \`migration_history\` (
  \`id\` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  \`migration_number\` bigint(20) NOT NULL,
  \`version\` varchar(20) NOT NULL,
  \`description\` text NOT NULL,
  \`applied_at\` bigint(20) DEFAULT NULL,
  \`applied_by\` varchar(100) DEFAULT NULL,
  \`execution_time_ms\` bigint(20) DEFAULT NULL,
  \`success\` tinyint(1) DEFAULT 1,
  \`error_message\` text DEFAULT NULL,
  \`rollback_available\` tinyint(1) DEFAULT 1,
  PRIMARY KEY (\`id\`),
  UNIQUE KEY \`idx_migration_history_migration_number\` (\`migration_number\`),
  KEY \`idx_migration_history_version\` (\`version\`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci`);
}
