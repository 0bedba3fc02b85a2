-- Brings the old columns back and fills them, so that each of the two sets holds every amount: the
-- amounts of today, and, where an entry of the audit log has kept another one for the old column,
-- that one. The entries then have done their work and go.
-- Not brought back: which of the two columns was NULL before.

ALTER TABLE char_wealth
  ADD COLUMN `goldstücke` bigint(20) DEFAULT NULL AFTER user_id,
  ADD COLUMN `silberstücke` bigint(20) DEFAULT NULL AFTER `goldstücke`,
  ADD COLUMN `kupferstücke` bigint(20) DEFAULT NULL AFTER `silberstücke`;

UPDATE char_wealth
SET `goldstücke` = goldstuecke,
  `silberstücke` = silberstuecke,
  `kupferstücke` = kupferstuecke;

UPDATE char_wealth AS wealth
JOIN audit_log_entries AS entry ON entry.notes = CONCAT('char_wealth.id=', wealth.id)
SET wealth.`goldstücke` = entry.old_value
WHERE entry.reason = 'migration 0006: the old column had another amount'
  AND entry.field_name = 'goldstuecke';

UPDATE char_wealth AS wealth
JOIN audit_log_entries AS entry ON entry.notes = CONCAT('char_wealth.id=', wealth.id)
SET wealth.`silberstücke` = entry.old_value
WHERE entry.reason = 'migration 0006: the old column had another amount'
  AND entry.field_name = 'silberstuecke';

UPDATE char_wealth AS wealth
JOIN audit_log_entries AS entry ON entry.notes = CONCAT('char_wealth.id=', wealth.id)
SET wealth.`kupferstücke` = entry.old_value
WHERE entry.reason = 'migration 0006: the old column had another amount'
  AND entry.field_name = 'kupferstuecke';

DELETE entry
FROM audit_log_entries AS entry
JOIN char_wealth AS wealth ON entry.notes = CONCAT('char_wealth.id=', wealth.id)
WHERE entry.reason = 'migration 0006: the old column had another amount';
