-- Takes the columns away and gives the old defaults back.
-- DATA LOSS: roles, languages and base values that were entered since the migration.

ALTER TABLE gsm_weaponskills
  ALTER COLUMN innate_skill SET DEFAULT 0,
  ALTER COLUMN improvable SET DEFAULT 1,
  DROP COLUMN basis_wert;

ALTER TABLE gsm_skills
  ALTER COLUMN innate_skill SET DEFAULT 0,
  ALTER COLUMN improvable SET DEFAULT 1,
  DROP COLUMN basis_wert;

ALTER TABLE char_weaponskills
  DROP COLUMN basis_wert;

ALTER TABLE char_skills
  DROP COLUMN basis_wert;

ALTER TABLE users
  DROP COLUMN preferred_language,
  DROP COLUMN role;
