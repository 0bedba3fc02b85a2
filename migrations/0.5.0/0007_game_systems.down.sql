-- Takes the table away, and the row of schema_version if this migration has added it.
-- DATA LOSS: game systems that were entered since the migration.

DELETE FROM schema_version
WHERE version = '0.1.37'
  AND description = 'placeholder of migration 0007: keeps the backend from adding one';

DROP TABLE game_systems;
