-- A rule without a game system must no longer become a 'midgard' rule by itself: with several
-- systems that would be a guess. The backend always writes the column.
--! description: no default game system

ALTER TABLE gsm_believes ALTER COLUMN game_system SET DEFAULT NULL;
ALTER TABLE gsm_character_classes ALTER COLUMN game_system SET DEFAULT NULL;
ALTER TABLE gsm_containers ALTER COLUMN game_system SET DEFAULT NULL;
ALTER TABLE gsm_equipments ALTER COLUMN game_system SET DEFAULT NULL;
ALTER TABLE gsm_skills ALTER COLUMN game_system SET DEFAULT NULL;
ALTER TABLE gsm_spells ALTER COLUMN game_system SET DEFAULT NULL;
ALTER TABLE gsm_transportations ALTER COLUMN game_system SET DEFAULT NULL;
ALTER TABLE gsm_weapons ALTER COLUMN game_system SET DEFAULT NULL;
ALTER TABLE gsm_weaponskills ALTER COLUMN game_system SET DEFAULT NULL;
ALTER TABLE learning_skill_categories ALTER COLUMN game_system SET DEFAULT NULL;
ALTER TABLE learning_skill_difficulties ALTER COLUMN game_system SET DEFAULT NULL;
ALTER TABLE learning_spell_level_le_costs ALTER COLUMN game_system SET DEFAULT NULL;
ALTER TABLE learning_spell_schools ALTER COLUMN game_system SET DEFAULT NULL;

-- Sources are entered with both flags.
ALTER TABLE gsm_lit_sources
  ALTER COLUMN game_system SET DEFAULT NULL,
  ALTER COLUMN is_core SET DEFAULT NULL,
  ALTER COLUMN is_active SET DEFAULT NULL;
