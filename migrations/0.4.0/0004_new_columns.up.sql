-- Columns that backend 0.1.37 reads and writes: the role and language of a user, the base value of
-- a skill. Everybody starts as 'standard': who is admin is decided by a person, not by a migration.
--! description: roles, languages and base values

ALTER TABLE users
  ADD COLUMN role varchar(191) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci
    DEFAULT 'standard' AFTER reset_pw_hash_expires,
  ADD COLUMN preferred_language varchar(191) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci
    DEFAULT 'de' AFTER role;

ALTER TABLE char_skills
  ADD COLUMN basis_wert bigint(20) DEFAULT NULL AFTER user_id;

ALTER TABLE char_weaponskills
  ADD COLUMN basis_wert bigint(20) DEFAULT NULL AFTER user_id;

-- The backend always writes `improvable` and `innate_skill`, and no longer wants a default for
-- them.
ALTER TABLE gsm_skills
  ADD COLUMN basis_wert bigint(20) DEFAULT 0 AFTER difficulty,
  ALTER COLUMN improvable SET DEFAULT NULL,
  ALTER COLUMN innate_skill SET DEFAULT NULL;

ALTER TABLE gsm_weaponskills
  ADD COLUMN basis_wert bigint(20) DEFAULT 0 AFTER difficulty,
  ALTER COLUMN improvable SET DEFAULT NULL,
  ALTER COLUMN innate_skill SET DEFAULT NULL;
