-- Takes the columns away again.
-- DATA LOSS: which game system a character or lookup belongs to, and ids other than 1, if any were
-- entered since the migration. The names in the other tables stay.

ALTER TABLE learning_spell_schools DROP COLUMN game_system_id;
ALTER TABLE learning_spell_level_le_costs DROP COLUMN game_system_id;
ALTER TABLE learning_skill_difficulties DROP COLUMN game_system_id;
ALTER TABLE learning_skill_categories DROP COLUMN game_system_id;
ALTER TABLE gsm_weaponskills DROP COLUMN game_system_id;
ALTER TABLE gsm_weapons DROP COLUMN game_system_id;
ALTER TABLE gsm_transportations DROP COLUMN game_system_id;
ALTER TABLE gsm_spells DROP COLUMN game_system_id;
ALTER TABLE gsm_skills DROP COLUMN game_system_id;
ALTER TABLE gsm_lit_sources DROP COLUMN game_system_id;
ALTER TABLE gsm_equipments DROP COLUMN game_system_id;
ALTER TABLE gsm_containers DROP COLUMN game_system_id;
ALTER TABLE gsm_character_classes DROP COLUMN game_system_id;
ALTER TABLE gsm_believes DROP COLUMN game_system_id;

ALTER TABLE gsm_misc
  DROP INDEX idx_gsm_misc_game_system,
  DROP COLUMN game_system_id,
  DROP COLUMN game_system;

ALTER TABLE char_chars
  DROP INDEX idx_char_chars_game_system,
  DROP COLUMN game_system_id,
  DROP COLUMN game_system;
