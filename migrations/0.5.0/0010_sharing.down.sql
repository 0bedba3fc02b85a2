-- Takes both away.
-- DATA LOSS: display names and shares that were entered since the migration.

ALTER TABLE users
  DROP COLUMN display_name;

DROP TABLE char_shares;
