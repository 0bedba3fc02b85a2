-- Five tables get the prefix of what they hold: gsm_ for rules, char_ for characters. Rows, keys
-- and the foreign keys of other tables follow the rename. One statement each: a RENAME of one
-- table either happened or did not.
--! description: rename five tables to gsm_ and char_

RENAME TABLE learning_sources TO gsm_lit_sources;
RENAME TABLE learning_character_classes TO gsm_character_classes;
RENAME TABLE skill_skills TO char_skills;
RENAME TABLE skill_spells TO char_spells;
RENAME TABLE skill_weaponskills TO char_weaponskills;
