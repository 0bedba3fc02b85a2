-- Takes the six tables away, the newest first.
-- DATA LOSS: the master data in them; a sync of master data brings it back.

DROP TABLE gsm_cc_class_typical_spells;
DROP TABLE gsm_cc_class_typical_skills;
DROP TABLE gsm_cc_class_spell_points;
DROP TABLE gsm_cc_class_category_points;
DROP TABLE learning_weaponskill_category_difficulties;
DROP TABLE gsm_misc;
