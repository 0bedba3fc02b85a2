-- Gives the five tables their old names back; nothing else is touched.

RENAME TABLE char_weaponskills TO skill_weaponskills;
RENAME TABLE char_spells TO skill_spells;
RENAME TABLE char_skills TO skill_skills;
RENAME TABLE gsm_character_classes TO learning_character_classes;
RENAME TABLE gsm_lit_sources TO learning_sources;
