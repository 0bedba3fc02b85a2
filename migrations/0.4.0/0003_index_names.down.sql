-- Takes the second set away again, foreign key before index: MariaDB keeps an index that a foreign
-- key still needs.

ALTER TABLE char_weaponskills
  DROP INDEX idx_char_weaponskills_user_id,
  DROP INDEX idx_char_weaponskills_character_id;

ALTER TABLE char_spells
  DROP INDEX idx_char_spells_user_id,
  DROP INDEX idx_char_spells_character_id;

ALTER TABLE char_skills
  DROP INDEX idx_char_skills_user_id,
  DROP INDEX idx_char_skills_character_id;

ALTER TABLE gsm_character_classes
  DROP FOREIGN KEY fk_gsm_character_classes_source;

ALTER TABLE gsm_character_classes
  DROP INDEX idx_gsm_character_classes_source_id,
  DROP INDEX idx_gsm_character_classes_quelle,
  DROP INDEX idx_gsm_character_classes_game_system,
  RENAME INDEX uni_gsm_character_classes_name TO uni_learning_character_classes_name,
  RENAME INDEX idx_gsm_character_classes_code TO idx_learning_character_classes_code;

ALTER TABLE gsm_lit_sources
  DROP INDEX idx_gsm_lit_sources_game_system,
  RENAME INDEX uni_gsm_lit_sources_name TO uni_learning_sources_name,
  RENAME INDEX idx_gsm_lit_sources_code TO idx_learning_sources_code;
