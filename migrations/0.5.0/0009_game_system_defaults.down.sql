-- Gives the defaults back. Rows are not touched.

ALTER TABLE gsm_lit_sources
  ALTER COLUMN is_active SET DEFAULT 1,
  ALTER COLUMN is_core SET DEFAULT 0,
  ALTER COLUMN game_system SET DEFAULT 'midgard';

ALTER TABLE learning_spell_schools ALTER COLUMN game_system SET DEFAULT 'midgard';
ALTER TABLE learning_spell_level_le_costs ALTER COLUMN game_system SET DEFAULT 'midgard';
ALTER TABLE learning_skill_difficulties ALTER COLUMN game_system SET DEFAULT 'midgard';
ALTER TABLE learning_skill_categories ALTER COLUMN game_system SET DEFAULT 'midgard';
ALTER TABLE gsm_weaponskills ALTER COLUMN game_system SET DEFAULT 'midgard';
ALTER TABLE gsm_weapons ALTER COLUMN game_system SET DEFAULT 'midgard';
ALTER TABLE gsm_transportations ALTER COLUMN game_system SET DEFAULT 'midgard';
ALTER TABLE gsm_spells ALTER COLUMN game_system SET DEFAULT 'midgard';
ALTER TABLE gsm_skills ALTER COLUMN game_system SET DEFAULT 'midgard';
ALTER TABLE gsm_equipments ALTER COLUMN game_system SET DEFAULT 'midgard';
ALTER TABLE gsm_containers ALTER COLUMN game_system SET DEFAULT 'midgard';
ALTER TABLE gsm_character_classes ALTER COLUMN game_system SET DEFAULT 'midgard';
ALTER TABLE gsm_believes ALTER COLUMN game_system SET DEFAULT 'midgard';
