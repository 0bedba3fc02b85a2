-- Rules can belong to several game systems from backend 0.2 on. The first row is the system that
-- all rules so far belong to. The backend would make the same row in its own set-up check; it is
-- made here, so that the next migration can point to it. Its time is a fixed one (2026-01-26): going
-- back and forward again makes the same row, so that nothing counts as lost.
--! description: game systems

CREATE TABLE game_systems (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  code varchar(100) NOT NULL,
  name varchar(255) NOT NULL,
  description text,
  is_active tinyint(1) NOT NULL DEFAULT 1,
  created_at bigint(20),
  modified_at bigint(20),
  PRIMARY KEY (id),
  UNIQUE KEY idx_game_systems_code (code)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

INSERT INTO game_systems (id, code, name, description, is_active, created_at, modified_at)
VALUES (1, 'M5', 'M-System', '', 1, 1769385600, 1769385600);

-- The set-up check of that backend also appends a row '0.1.37' to schema_version whenever there is
-- none. Migration 0001 has added it, but not in a database that was adopted at 0.4.0.
INSERT INTO schema_version (version, migration_number, backend_version, description)
SELECT '0.1.37', 1, '0.1.37', 'placeholder of migration 0007: keeps the backend from adding one'
FROM DUAL
WHERE NOT EXISTS (SELECT 1 FROM schema_version WHERE version = '0.1.37');
