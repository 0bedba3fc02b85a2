-- Every rule, and every character, says which game system it belongs to. `game_system_id` is filled
-- where the text in `game_system` is one of the three names of system 1: data has 'midgard', and
-- the backend itself writes 'M5' and 'M-System'. Other texts, and NULL, stay without an id.
--! description: game system of rules and characters

-- Characters and lookups had no game system: there was only one.
ALTER TABLE char_chars
  ADD COLUMN game_system varchar(191) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci
    DEFAULT 'midgard',
  ADD COLUMN game_system_id bigint(20) unsigned DEFAULT NULL,
  ADD INDEX idx_char_chars_game_system (game_system);

UPDATE char_chars SET game_system_id = 1
WHERE game_system IN ('midgard', 'M5', 'M-System');

ALTER TABLE gsm_misc
  ADD COLUMN game_system varchar(191) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci
    DEFAULT NULL,
  ADD COLUMN game_system_id bigint(20) unsigned DEFAULT NULL,
  ADD INDEX idx_gsm_misc_game_system (game_system);

UPDATE gsm_misc SET game_system = 'midgard', game_system_id = 1;

-- The other fourteen know their system by name.
ALTER TABLE gsm_believes
  ADD COLUMN game_system_id bigint(20) unsigned DEFAULT NULL;
UPDATE gsm_believes SET game_system_id = 1
WHERE game_system IN ('midgard', 'M5', 'M-System');

ALTER TABLE gsm_character_classes
  ADD COLUMN game_system_id bigint(20) unsigned DEFAULT NULL;
UPDATE gsm_character_classes SET game_system_id = 1
WHERE game_system IN ('midgard', 'M5', 'M-System');

ALTER TABLE gsm_containers
  ADD COLUMN game_system_id bigint(20) unsigned DEFAULT NULL;
UPDATE gsm_containers SET game_system_id = 1
WHERE game_system IN ('midgard', 'M5', 'M-System');

ALTER TABLE gsm_equipments
  ADD COLUMN game_system_id bigint(20) unsigned DEFAULT NULL;
UPDATE gsm_equipments SET game_system_id = 1
WHERE game_system IN ('midgard', 'M5', 'M-System');

ALTER TABLE gsm_lit_sources
  ADD COLUMN game_system_id bigint(20) unsigned DEFAULT NULL;
UPDATE gsm_lit_sources SET game_system_id = 1
WHERE game_system IN ('midgard', 'M5', 'M-System');

ALTER TABLE gsm_skills
  ADD COLUMN game_system_id bigint(20) unsigned DEFAULT NULL;
UPDATE gsm_skills SET game_system_id = 1
WHERE game_system IN ('midgard', 'M5', 'M-System');

ALTER TABLE gsm_spells
  ADD COLUMN game_system_id bigint(20) unsigned DEFAULT NULL;
UPDATE gsm_spells SET game_system_id = 1
WHERE game_system IN ('midgard', 'M5', 'M-System');

ALTER TABLE gsm_transportations
  ADD COLUMN game_system_id bigint(20) unsigned DEFAULT NULL;
UPDATE gsm_transportations SET game_system_id = 1
WHERE game_system IN ('midgard', 'M5', 'M-System');

ALTER TABLE gsm_weapons
  ADD COLUMN game_system_id bigint(20) unsigned DEFAULT NULL;
UPDATE gsm_weapons SET game_system_id = 1
WHERE game_system IN ('midgard', 'M5', 'M-System');

ALTER TABLE gsm_weaponskills
  ADD COLUMN game_system_id bigint(20) unsigned DEFAULT NULL;
UPDATE gsm_weaponskills SET game_system_id = 1
WHERE game_system IN ('midgard', 'M5', 'M-System');

ALTER TABLE learning_skill_categories
  ADD COLUMN game_system_id bigint(20) unsigned DEFAULT NULL;
UPDATE learning_skill_categories SET game_system_id = 1
WHERE game_system IN ('midgard', 'M5', 'M-System');

ALTER TABLE learning_skill_difficulties
  ADD COLUMN game_system_id bigint(20) unsigned DEFAULT NULL;
UPDATE learning_skill_difficulties SET game_system_id = 1
WHERE game_system IN ('midgard', 'M5', 'M-System');

ALTER TABLE learning_spell_level_le_costs
  ADD COLUMN game_system_id bigint(20) unsigned DEFAULT NULL;
UPDATE learning_spell_level_le_costs SET game_system_id = 1
WHERE game_system IN ('midgard', 'M5', 'M-System');

ALTER TABLE learning_spell_schools
  ADD COLUMN game_system_id bigint(20) unsigned DEFAULT NULL;
UPDATE learning_spell_schools SET game_system_id = 1
WHERE game_system IN ('midgard', 'M5', 'M-System');
