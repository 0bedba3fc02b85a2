-- The money of a character is stored twice: in columns with umlauts in their names, and in columns
-- with ASCII names, which are the only ones that the backend still uses. Amounts that are only in
-- the old columns move over, then the old columns go.
--! description: money moves into the columns with ascii names

-- Where both columns have an amount and the two differ, nobody but the players can know which is
-- right. The one that the backend shows stays. The other is not lost: it becomes an entry in the
-- character's audit log, old_value being the amount of the old column.
INSERT INTO audit_log_entries
  (character_id, field_name, old_value, new_value, difference, reason, user_id, timestamp, notes)
SELECT
  COALESCE(character_id, 0), 'goldstuecke',
  `goldstücke`, goldstuecke, goldstuecke - `goldstücke`,
  'migration 0006: the old column had another amount',
  user_id, NOW(3), CONCAT('char_wealth.id=', id)
FROM char_wealth
WHERE `goldstücke` <> goldstuecke
ORDER BY id;

INSERT INTO audit_log_entries
  (character_id, field_name, old_value, new_value, difference, reason, user_id, timestamp, notes)
SELECT
  COALESCE(character_id, 0), 'silberstuecke',
  `silberstücke`, silberstuecke, silberstuecke - `silberstücke`,
  'migration 0006: the old column had another amount',
  user_id, NOW(3), CONCAT('char_wealth.id=', id)
FROM char_wealth
WHERE `silberstücke` <> silberstuecke
ORDER BY id;

INSERT INTO audit_log_entries
  (character_id, field_name, old_value, new_value, difference, reason, user_id, timestamp, notes)
SELECT
  COALESCE(character_id, 0), 'kupferstuecke',
  `kupferstücke`, kupferstuecke, kupferstuecke - `kupferstücke`,
  'migration 0006: the old column had another amount',
  user_id, NOW(3), CONCAT('char_wealth.id=', id)
FROM char_wealth
WHERE `kupferstücke` <> kupferstuecke
ORDER BY id;

-- 0 is an amount, NULL is none: only NULL is filled.
UPDATE char_wealth
SET goldstuecke = COALESCE(goldstuecke, `goldstücke`),
  silberstuecke = COALESCE(silberstuecke, `silberstücke`),
  kupferstuecke = COALESCE(kupferstuecke, `kupferstücke`);

-- DATA LOSS: none. Each amount is now in the ASCII column, in the audit log, or was in both
-- columns.
ALTER TABLE char_wealth
  DROP COLUMN `goldstücke`,
  DROP COLUMN `silberstücke`,
  DROP COLUMN `kupferstücke`;
