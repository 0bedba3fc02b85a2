-- The backend looks for its indexes and foreign keys under names made from the new table names, and
-- adds what it does not find. Unique indexes are renamed. The others are added beside the old ones,
-- because that is what every upgraded database has: a second set with the same columns.
--! description: index and foreign key names of the renamed tables

ALTER TABLE gsm_lit_sources
  RENAME INDEX idx_learning_sources_code TO idx_gsm_lit_sources_code,
  RENAME INDEX uni_learning_sources_name TO uni_gsm_lit_sources_name,
  ADD INDEX idx_gsm_lit_sources_game_system (game_system);

ALTER TABLE gsm_character_classes
  RENAME INDEX idx_learning_character_classes_code TO idx_gsm_character_classes_code,
  RENAME INDEX uni_learning_character_classes_name TO uni_gsm_character_classes_name,
  ADD INDEX idx_gsm_character_classes_game_system (game_system),
  ADD INDEX idx_gsm_character_classes_quelle (quelle),
  ADD INDEX idx_gsm_character_classes_source_id (source_id);

ALTER TABLE gsm_character_classes
  ADD CONSTRAINT fk_gsm_character_classes_source
    FOREIGN KEY (source_id) REFERENCES gsm_lit_sources (id)
    ON UPDATE CASCADE ON DELETE RESTRICT;

ALTER TABLE char_skills
  ADD INDEX idx_char_skills_character_id (character_id),
  ADD INDEX idx_char_skills_user_id (user_id);

ALTER TABLE char_spells
  ADD INDEX idx_char_spells_character_id (character_id),
  ADD INDEX idx_char_spells_user_id (user_id);

ALTER TABLE char_weaponskills
  ADD INDEX idx_char_weaponskills_character_id (character_id),
  ADD INDEX idx_char_weaponskills_user_id (user_id);
