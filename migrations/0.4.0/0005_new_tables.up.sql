-- Rules that backend 0.1.37 keeps in the database: lists for drop-downs (gsm_misc), learning costs
-- of weapon skills, and what a class starts with (gsm_cc_: character creation). The tables start
-- empty; master data fills them. Their foreign keys and indexes come in two sets with two names:
-- every upgraded database has both, since the tables once had other names.
--! description: tables for character creation, lookups and weapon skill costs

CREATE TABLE gsm_misc (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  `key` varchar(50) NOT NULL,
  value varchar(255) NOT NULL,
  source_id bigint(20) unsigned,
  page_number bigint(20),
  PRIMARY KEY (id),
  KEY idx_gsm_misc_key (`key`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE learning_weaponskill_category_difficulties (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  weapon_skill_id bigint(20) unsigned NOT NULL,
  skill_category_id bigint(20) unsigned NOT NULL,
  skill_difficulty_id bigint(20) unsigned NOT NULL,
  learn_cost bigint(20) NOT NULL,
  skill_difficulty varchar(15) NOT NULL DEFAULT 'normal',
  skill_category varchar(25) NOT NULL DEFAULT 'Waffen',
  PRIMARY KEY (id),
  KEY idx_learning_weaponskill_category_difficulties_skill_category_id (skill_category_id),
  KEY idx_learning_weaponskill_category_difficulties_skill_dif466cdbb0 (skill_difficulty_id),
  KEY idx_learning_weaponskill_category_difficulties_s_category (skill_category),
  KEY idx_learning_weaponskill_category_difficulties_s_difficulty (skill_difficulty),
  KEY idx_learning_weaponskill_category_difficulties_weapon_skill_id (weapon_skill_id),
  CONSTRAINT fk_learning_weaponskill_category_difficulties_skill_category
    FOREIGN KEY (skill_category_id) REFERENCES learning_skill_categories (id)
    ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT fk_learning_weaponskill_category_difficulties_skill_difficulty
    FOREIGN KEY (skill_difficulty_id) REFERENCES learning_skill_difficulties (id)
    ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT fk_learning_weaponskill_category_difficulties_weapon_skill
    FOREIGN KEY (weapon_skill_id) REFERENCES gsm_weaponskills (id)
    ON UPDATE CASCADE ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE gsm_cc_class_category_points (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  character_class_id bigint(20) unsigned NOT NULL,
  skill_category_id bigint(20) unsigned NOT NULL,
  points bigint(20) NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  UNIQUE KEY idx_class_category (character_class_id, skill_category_id),
  KEY fk_gsm_cc_class_category_points_skill_category (skill_category_id),
  CONSTRAINT fk_class_learning_points_character_class
    FOREIGN KEY (character_class_id) REFERENCES gsm_character_classes (id)
    ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT fk_class_learning_points_skill_category
    FOREIGN KEY (skill_category_id) REFERENCES learning_skill_categories (id)
    ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT fk_gsm_cc_class_category_points_character_class
    FOREIGN KEY (character_class_id) REFERENCES gsm_character_classes (id)
    ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT fk_gsm_cc_class_category_points_skill_category
    FOREIGN KEY (skill_category_id) REFERENCES learning_skill_categories (id)
    ON UPDATE CASCADE ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE gsm_cc_class_spell_points (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  character_class_id bigint(20) unsigned NOT NULL,
  spell_points bigint(20) NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  UNIQUE KEY idx_gsm_cc_class_spell_points_character_class_id (character_class_id),
  CONSTRAINT fk_class_spell_points_character_class
    FOREIGN KEY (character_class_id) REFERENCES gsm_character_classes (id)
    ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT fk_gsm_cc_class_spell_points_character_class
    FOREIGN KEY (character_class_id) REFERENCES gsm_character_classes (id)
    ON UPDATE CASCADE ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE gsm_cc_class_typical_skills (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  character_class_id bigint(20) unsigned NOT NULL,
  skill_id bigint(20) unsigned NOT NULL,
  bonus bigint(20) NOT NULL DEFAULT 0,
  attribute varchar(10),
  notes longtext,
  PRIMARY KEY (id),
  KEY idx_class_typical_skills_character_class_id (character_class_id),
  KEY idx_class_typical_skills_skill_id (skill_id),
  KEY idx_gsm_cc_class_typical_skills_character_class_id (character_class_id),
  KEY idx_gsm_cc_class_typical_skills_skill_id (skill_id),
  CONSTRAINT fk_class_typical_skills_character_class
    FOREIGN KEY (character_class_id) REFERENCES gsm_character_classes (id)
    ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT fk_class_typical_skills_skill
    FOREIGN KEY (skill_id) REFERENCES gsm_skills (id)
    ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT fk_gsm_cc_class_typical_skills_character_class
    FOREIGN KEY (character_class_id) REFERENCES gsm_character_classes (id)
    ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT fk_gsm_cc_class_typical_skills_skill
    FOREIGN KEY (skill_id) REFERENCES gsm_skills (id)
    ON UPDATE CASCADE ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE gsm_cc_class_typical_spells (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  character_class_id bigint(20) unsigned NOT NULL,
  spell_id bigint(20) unsigned NOT NULL,
  notes longtext,
  PRIMARY KEY (id),
  KEY idx_class_typical_spells_character_class_id (character_class_id),
  KEY idx_class_typical_spells_spell_id (spell_id),
  KEY idx_gsm_cc_class_typical_spells_character_class_id (character_class_id),
  KEY idx_gsm_cc_class_typical_spells_spell_id (spell_id),
  CONSTRAINT fk_class_typical_spells_character_class
    FOREIGN KEY (character_class_id) REFERENCES gsm_character_classes (id)
    ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT fk_class_typical_spells_spell
    FOREIGN KEY (spell_id) REFERENCES gsm_spells (id)
    ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT fk_gsm_cc_class_typical_spells_character_class
    FOREIGN KEY (character_class_id) REFERENCES gsm_character_classes (id)
    ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT fk_gsm_cc_class_typical_spells_spell
    FOREIGN KEY (spell_id) REFERENCES gsm_spells (id)
    ON UPDATE CASCADE ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
