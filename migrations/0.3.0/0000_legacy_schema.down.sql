-- Takes the legacy schema away, table by table and children first, because one DROP of several
-- tables is not atomic on MariaDB.
-- DATA LOSS: every character, user and rule row goes with its table.

DROP TABLE learning_spell_level_le_costs;
DROP TABLE learning_class_spell_school_ep_costs;
DROP TABLE learning_spell_schools;
DROP TABLE learning_class_category_ep_costs;
DROP TABLE learning_skill_improvement_costs;
DROP TABLE learning_skill_category_difficulties;
DROP TABLE learning_skill_difficulties;
DROP TABLE learning_skill_categories;
DROP TABLE learning_character_classes;
DROP TABLE learning_sources;
DROP TABLE gsm_weaponskills;
DROP TABLE gsm_weapons;
DROP TABLE gsm_transportations;
DROP TABLE gsm_spells;
DROP TABLE gsm_skills;
DROP TABLE gsm_equipments;
DROP TABLE gsm_containers;
DROP TABLE gsm_believes;
DROP TABLE equi_weapons;
DROP TABLE equi_equipments;
DROP TABLE equi_containers;
DROP TABLE skill_weaponskills;
DROP TABLE skill_spells;
DROP TABLE skill_skills;
DROP TABLE char_wealth;
DROP TABLE char_motionranges;
DROP TABLE char_health;
DROP TABLE char_experiances;
DROP TABLE char_endurances;
DROP TABLE char_eigenschaften;
DROP TABLE char_characteristics;
DROP TABLE char_char_creation_session;
DROP TABLE char_bennies;
DROP TABLE char_chars;
DROP TABLE audit_log_entries;
DROP TABLE users;
