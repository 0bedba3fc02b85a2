-- The two tables that say which version a database has. This tool makes them itself before it
-- runs anything, so that both are normally no-ops here; they stand here because they belong to
-- the schema of 0.4.0.
--! description: version tables

CREATE TABLE IF NOT EXISTS schema_version (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  version varchar(20) NOT NULL,
  migration_number bigint(20) NOT NULL,
  applied_at bigint(20),
  backend_version varchar(20) NOT NULL,
  description text,
  checksum varchar(64),
  PRIMARY KEY (id),
  KEY idx_schema_version_version (version),
  KEY idx_schema_version_migration_number (migration_number)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS migration_history (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  migration_number bigint(20) NOT NULL,
  version varchar(20) NOT NULL,
  description text NOT NULL,
  applied_at bigint(20),
  applied_by varchar(100),
  execution_time_ms bigint(20),
  success tinyint(1) DEFAULT 1,
  error_message text,
  rollback_available tinyint(1) DEFAULT 1,
  PRIMARY KEY (id),
  UNIQUE KEY idx_migration_history_migration_number (migration_number),
  KEY idx_migration_history_version (version)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- The backend (0.2.x and later) appends a row '0.1.37' whenever there is none, and shows the
-- newest row as the version of the database. A row that exists already keeps it from doing so.
-- `applied_at` is left to its default: it is a number in some databases and a time in others.
INSERT INTO schema_version (version, migration_number, backend_version, description)
SELECT '0.1.37', 1, '0.1.37', 'placeholder of migration 0001: keeps the backend from adding one'
FROM DUAL
WHERE NOT EXISTS (SELECT 1 FROM schema_version WHERE version = '0.1.37');
