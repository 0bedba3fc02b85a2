-- The schema that Bamort had before it counted versions (December 2025): 36 tables. A database
-- that already has it is adopted at this version; an empty one is created by this file.
--! description: legacy schema of 36 tables

-- People.

CREATE TABLE users (
  user_id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  username varchar(191),
  password_hash longtext,
  email varchar(191),
  created_at datetime(3),
  updated_at datetime(3),
  reset_pw_hash varchar(191),
  reset_pw_hash_expires datetime(3),
  PRIMARY KEY (user_id),
  UNIQUE KEY uni_users_email (email),
  UNIQUE KEY uni_users_username (username),
  KEY idx_users_reset_pw_hash (reset_pw_hash)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE audit_log_entries (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  character_id bigint(20) unsigned NOT NULL,
  field_name longtext NOT NULL,
  old_value bigint(20),
  new_value bigint(20),
  difference bigint(20),
  reason longtext,
  user_id bigint(20) unsigned,
  timestamp datetime(3),
  notes longtext,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Characters.

CREATE TABLE char_chars (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  name longtext,
  user_id bigint(20) unsigned NOT NULL DEFAULT 1,
  rasse longtext,
  typ longtext,
  `alter` bigint(20),
  anrede longtext,
  grad bigint(20),
  groesse bigint(20),
  gewicht bigint(20),
  glaube longtext,
  hand longtext,
  public tinyint(1),
  spezialisierung text,
  image longtext,
  gender longtext,
  social_class longtext,
  herkunft longtext,
  resistenz_koerper bigint(20),
  resistenz_geist bigint(20),
  abwehr bigint(20),
  zaubern bigint(20),
  raufen bigint(20),
  PRIMARY KEY (id),
  KEY idx_char_chars_user_id (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE char_bennies (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  name longtext,
  character_id bigint(20) unsigned,
  gg bigint(20),
  gp bigint(20),
  sg bigint(20),
  user_id bigint(20) unsigned,
  PRIMARY KEY (id),
  KEY idx_char_bennies_character_id (character_id),
  KEY idx_char_bennies_user_id (user_id),
  CONSTRAINT fk_char_chars_bennies
    FOREIGN KEY (character_id) REFERENCES char_chars (id)
    ON UPDATE CASCADE ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE char_char_creation_session (
  id varchar(191) NOT NULL,
  user_id bigint(20) unsigned NOT NULL,
  name longtext,
  rasse longtext,
  typ longtext,
  herkunft longtext,
  glaube longtext,
  attributes text,
  derived_values text,
  skills text,
  spells text,
  skill_points text,
  created_at datetime(3),
  updated_at datetime(3),
  expires_at datetime(3),
  current_step bigint(20),
  geschlecht longtext,
  stand longtext,
  PRIMARY KEY (id),
  KEY idx_char_char_creation_session_user_id (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE char_characteristics (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  name longtext,
  character_id bigint(20) unsigned,
  augenfarbe longtext,
  haarfarbe longtext,
  sonstige longtext,
  breite longtext,
  groesse longtext,
  user_id bigint(20) unsigned,
  PRIMARY KEY (id),
  KEY idx_char_characteristics_character_id (character_id),
  KEY idx_char_characteristics_user_id (user_id),
  CONSTRAINT fk_char_chars_merkmale
    FOREIGN KEY (character_id) REFERENCES char_chars (id)
    ON UPDATE CASCADE ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE char_eigenschaften (
  id bigint(20) unsigned,
  character_id bigint(20) unsigned NOT NULL,
  name varchar(191) NOT NULL,
  value bigint(20),
  user_id bigint(20) unsigned,
  PRIMARY KEY (character_id, name),
  KEY idx_char_eigenschaften_id (id),
  KEY idx_char_eigenschaften_user_id (user_id),
  CONSTRAINT fk_char_chars_eigenschaften
    FOREIGN KEY (character_id) REFERENCES char_chars (id)
    ON UPDATE CASCADE ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE char_endurances (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  character_id bigint(20) unsigned,
  max bigint(20),
  value bigint(20),
  PRIMARY KEY (id),
  KEY idx_char_endurances_character_id (character_id),
  CONSTRAINT fk_char_chars_ap
    FOREIGN KEY (character_id) REFERENCES char_chars (id)
    ON UPDATE CASCADE ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE char_experiances (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  name longtext,
  character_id bigint(20) unsigned,
  es bigint(20),
  ep bigint(20),
  user_id bigint(20) unsigned,
  PRIMARY KEY (id),
  KEY idx_char_experiances_character_id (character_id),
  KEY idx_char_experiances_user_id (user_id),
  CONSTRAINT fk_char_chars_erfahrungsschatz
    FOREIGN KEY (character_id) REFERENCES char_chars (id)
    ON UPDATE CASCADE ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE char_health (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  character_id bigint(20) unsigned,
  max bigint(20),
  value bigint(20),
  PRIMARY KEY (id),
  KEY idx_char_health_character_id (character_id),
  CONSTRAINT fk_char_chars_lp
    FOREIGN KEY (character_id) REFERENCES char_chars (id)
    ON UPDATE CASCADE ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE char_motionranges (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  character_id bigint(20) unsigned,
  max bigint(20),
  value bigint(20),
  PRIMARY KEY (id),
  KEY idx_char_motionranges_character_id (character_id),
  CONSTRAINT fk_char_chars_b
    FOREIGN KEY (character_id) REFERENCES char_chars (id)
    ON UPDATE CASCADE ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE char_wealth (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  name longtext,
  character_id bigint(20) unsigned,
  user_id bigint(20) unsigned,
  `goldstücke` bigint(20),
  `silberstücke` bigint(20),
  `kupferstücke` bigint(20),
  goldstuecke bigint(20),
  silberstuecke bigint(20),
  kupferstuecke bigint(20),
  PRIMARY KEY (id),
  KEY idx_char_wealth_character_id (character_id),
  KEY idx_char_wealth_user_id (user_id),
  CONSTRAINT fk_char_chars_vermoegen
    FOREIGN KEY (character_id) REFERENCES char_chars (id)
    ON UPDATE CASCADE ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE skill_skills (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  name longtext,
  character_id bigint(20) unsigned,
  beschreibung longtext,
  fertigkeitswert bigint(20),
  bonus bigint(20),
  pp bigint(20),
  bemerkung longtext,
  improvable tinyint(1),
  category longtext,
  user_id bigint(20) unsigned,
  PRIMARY KEY (id),
  KEY idx_skill_skills_character_id (character_id),
  KEY idx_skill_skills_user_id (user_id),
  CONSTRAINT fk_char_chars_fertigkeiten
    FOREIGN KEY (character_id) REFERENCES char_chars (id)
    ON UPDATE CASCADE ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE skill_spells (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  name longtext,
  character_id bigint(20) unsigned,
  beschreibung longtext,
  bonus bigint(20),
  quelle longtext,
  user_id bigint(20) unsigned,
  PRIMARY KEY (id),
  KEY idx_skill_spells_character_id (character_id),
  KEY idx_skill_spells_user_id (user_id),
  CONSTRAINT fk_char_chars_zauber
    FOREIGN KEY (character_id) REFERENCES char_chars (id)
    ON UPDATE CASCADE ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE skill_weaponskills (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  name longtext,
  character_id bigint(20) unsigned,
  beschreibung longtext,
  fertigkeitswert bigint(20),
  bonus bigint(20),
  pp bigint(20),
  bemerkung longtext,
  improvable tinyint(1),
  category longtext,
  user_id bigint(20) unsigned,
  PRIMARY KEY (id),
  KEY idx_skill_weaponskills_character_id (character_id),
  KEY idx_skill_weaponskills_user_id (user_id),
  CONSTRAINT fk_char_chars_waffenfertigkeiten
    FOREIGN KEY (character_id) REFERENCES char_chars (id)
    ON UPDATE CASCADE ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- What characters carry.

CREATE TABLE equi_containers (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  name longtext,
  character_id bigint(20) unsigned,
  ist_magisch tinyint(1),
  abw bigint(20),
  ausgebrannt tinyint(1),
  beschreibung longtext,
  beinhaltet_in longtext,
  contained_in bigint(20) unsigned,
  is_transportation tinyint(1),
  gewicht double,
  wert double,
  tragkraft double,
  volumen double,
  ext_id longtext,
  user_id bigint(20) unsigned,
  PRIMARY KEY (id),
  KEY idx_equi_containers_character_id (character_id),
  KEY idx_equi_containers_user_id (user_id),
  CONSTRAINT fk_char_chars_behaeltnisse
    FOREIGN KEY (character_id) REFERENCES char_chars (id)
    ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT fk_char_chars_transportmittel
    FOREIGN KEY (character_id) REFERENCES char_chars (id)
    ON UPDATE CASCADE ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE equi_equipments (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  name longtext,
  character_id bigint(20) unsigned,
  ist_magisch tinyint(1),
  abw bigint(20),
  ausgebrannt tinyint(1),
  beschreibung longtext,
  anzahl bigint(20),
  beinhaltet_in longtext,
  contained_in bigint(20) unsigned,
  container_type longtext,
  bonus bigint(20),
  gewicht double,
  wert double,
  user_id bigint(20) unsigned,
  PRIMARY KEY (id),
  KEY idx_equi_equipments_character_id (character_id),
  KEY idx_equi_equipments_user_id (user_id),
  CONSTRAINT fk_char_chars_ausruestung
    FOREIGN KEY (character_id) REFERENCES char_chars (id)
    ON UPDATE CASCADE ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE equi_weapons (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  name longtext,
  character_id bigint(20) unsigned,
  ist_magisch tinyint(1),
  abw bigint(20),
  ausgebrannt tinyint(1),
  beschreibung longtext,
  abwb bigint(20),
  anb bigint(20),
  anzahl bigint(20),
  beinhaltet_in longtext,
  contained_in bigint(20) unsigned,
  container_type longtext,
  gewicht double,
  name_fuer_spezialisierung longtext,
  schb bigint(20),
  wert double,
  user_id bigint(20) unsigned,
  PRIMARY KEY (id),
  KEY idx_equi_weapons_character_id (character_id),
  KEY idx_equi_weapons_user_id (user_id),
  CONSTRAINT fk_char_chars_waffen
    FOREIGN KEY (character_id) REFERENCES char_chars (id)
    ON UPDATE CASCADE ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Master data: the world.

CREATE TABLE gsm_believes (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  game_system varchar(191) DEFAULT 'midgard',
  name varchar(255),
  beschreibung longtext,
  quelle longtext,
  source_id bigint(20) unsigned,
  page_number bigint(20),
  PRIMARY KEY (id),
  KEY idx_gsm_believes_game_system (game_system),
  KEY idx_gsm_believes_name (name),
  KEY idx_gsm_believes_source_id (source_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE gsm_containers (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  game_system varchar(191) DEFAULT 'midgard',
  name varchar(255),
  beschreibung longtext,
  quelle longtext,
  source_id bigint(20) unsigned,
  page_number bigint(20),
  gewicht double,
  wert double,
  personal_item tinyint(1) DEFAULT 0,
  tragkraft double,
  volumen double,
  PRIMARY KEY (id),
  KEY idx_gsm_containers_game_system (game_system),
  KEY idx_gsm_containers_name (name),
  KEY idx_gsm_containers_source_id (source_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE gsm_equipments (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  game_system varchar(191) DEFAULT 'midgard',
  name varchar(255),
  beschreibung longtext,
  quelle longtext,
  source_id bigint(20) unsigned,
  page_number bigint(20),
  gewicht double,
  wert double,
  personal_item tinyint(1) DEFAULT 0,
  PRIMARY KEY (id),
  KEY idx_gsm_equipments_game_system (game_system),
  KEY idx_gsm_equipments_name (name),
  KEY idx_gsm_equipments_source_id (source_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE gsm_skills (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  game_system varchar(191) DEFAULT 'midgard',
  name varchar(255),
  beschreibung longtext,
  quelle longtext,
  source_id bigint(20) unsigned,
  page_number bigint(20),
  initialwert bigint(20) DEFAULT 5,
  bonuseigenschaft longtext,
  improvable tinyint(1) DEFAULT 1,
  innate_skill tinyint(1) DEFAULT 0,
  category longtext,
  difficulty longtext,
  PRIMARY KEY (id),
  KEY idx_gsm_skills_game_system (game_system),
  KEY idx_gsm_skills_name (name),
  KEY idx_gsm_skills_source_id (source_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE gsm_spells (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  game_system varchar(191) DEFAULT 'midgard',
  name varchar(255),
  beschreibung longtext,
  quelle longtext,
  source_id bigint(20) unsigned,
  page_number bigint(20),
  bonus bigint(20),
  stufe bigint(20),
  ap varchar(191) DEFAULT '1',
  art varchar(191) DEFAULT 'Gestenzauber',
  zauberdauer varchar(191) DEFAULT '10 sec',
  reichweite longtext,
  wirkungsziel longtext,
  wirkungsbereich longtext,
  wirkungsdauer longtext,
  ursprung longtext,
  category varchar(191) DEFAULT 'normal',
  learning_category varchar(25),
  PRIMARY KEY (id),
  KEY idx_gsm_spells_game_system (game_system),
  KEY idx_gsm_spells_learning_category (learning_category),
  KEY idx_gsm_spells_name (name),
  KEY idx_gsm_spells_source_id (source_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE gsm_transportations (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  game_system varchar(191) DEFAULT 'midgard',
  name varchar(255),
  beschreibung longtext,
  quelle longtext,
  source_id bigint(20) unsigned,
  page_number bigint(20),
  gewicht double,
  wert double,
  personal_item tinyint(1) DEFAULT 0,
  tragkraft double,
  volumen double,
  PRIMARY KEY (id),
  KEY idx_gsm_transportations_game_system (game_system),
  KEY idx_gsm_transportations_name (name),
  KEY idx_gsm_transportations_source_id (source_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE gsm_weapons (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  game_system varchar(191) DEFAULT 'midgard',
  name varchar(255),
  beschreibung longtext,
  quelle longtext,
  source_id bigint(20) unsigned,
  page_number bigint(20),
  gewicht double,
  wert double,
  personal_item tinyint(1) DEFAULT 0,
  skill_required longtext,
  damage longtext,
  range_near bigint(20),
  range_middle bigint(20),
  range_far bigint(20),
  PRIMARY KEY (id),
  KEY idx_gsm_weapons_game_system (game_system),
  KEY idx_gsm_weapons_name (name),
  KEY idx_gsm_weapons_source_id (source_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE gsm_weaponskills (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  game_system varchar(191) DEFAULT 'midgard',
  name varchar(255),
  beschreibung longtext,
  quelle longtext,
  source_id bigint(20) unsigned,
  page_number bigint(20),
  initialwert bigint(20) DEFAULT 5,
  bonuseigenschaft longtext,
  improvable tinyint(1) DEFAULT 1,
  innate_skill tinyint(1) DEFAULT 0,
  category longtext,
  difficulty longtext,
  PRIMARY KEY (id),
  KEY idx_gsm_weaponskills_game_system (game_system),
  KEY idx_gsm_weaponskills_name (name),
  KEY idx_gsm_weaponskills_source_id (source_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Master data: learning.

CREATE TABLE learning_sources (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  code varchar(10) NOT NULL,
  name varchar(191) NOT NULL,
  full_name longtext,
  edition longtext,
  publisher longtext,
  publish_year bigint(20),
  description longtext,
  is_core tinyint(1) DEFAULT 0,
  is_active tinyint(1) DEFAULT 1,
  game_system varchar(191) DEFAULT 'midgard',
  PRIMARY KEY (id),
  UNIQUE KEY idx_learning_sources_code (code),
  UNIQUE KEY uni_learning_sources_name (name),
  KEY idx_learning_sources_game_system (game_system)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE learning_character_classes (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  code varchar(3),
  name varchar(191) NOT NULL,
  description longtext,
  source_id bigint(20) unsigned NOT NULL,
  game_system varchar(191) DEFAULT 'midgard',
  quelle varchar(3) DEFAULT 'KOD',
  PRIMARY KEY (id),
  UNIQUE KEY idx_learning_character_classes_code (code),
  UNIQUE KEY uni_learning_character_classes_name (name),
  KEY idx_learning_character_classes_game_system (game_system),
  KEY idx_learning_character_classes_quelle (quelle),
  KEY idx_learning_character_classes_source_id (source_id),
  CONSTRAINT fk_learning_character_classes_source
    FOREIGN KEY (source_id) REFERENCES learning_sources (id)
    ON UPDATE CASCADE ON DELETE RESTRICT
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE learning_skill_categories (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  name varchar(191) NOT NULL,
  source_id bigint(20) unsigned NOT NULL,
  game_system varchar(191) DEFAULT 'midgard',
  quelle varchar(3) DEFAULT 'KOD',
  PRIMARY KEY (id),
  UNIQUE KEY uni_learning_skill_categories_name (name),
  KEY idx_learning_skill_categories_game_system (game_system),
  KEY idx_learning_skill_categories_quelle (quelle),
  KEY idx_learning_skill_categories_source_id (source_id),
  CONSTRAINT fk_learning_skill_categories_source
    FOREIGN KEY (source_id) REFERENCES learning_sources (id)
    ON UPDATE CASCADE ON DELETE RESTRICT
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE learning_skill_difficulties (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  name varchar(191) NOT NULL,
  description longtext,
  game_system varchar(191) DEFAULT 'midgard',
  PRIMARY KEY (id),
  UNIQUE KEY uni_learning_skill_difficulties_name (name),
  KEY idx_learning_skill_difficulties_game_system (game_system)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE learning_skill_category_difficulties (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  skill_id bigint(20) unsigned NOT NULL,
  skill_category_id bigint(20) unsigned NOT NULL,
  skill_difficulty_id bigint(20) unsigned NOT NULL,
  learn_cost bigint(20) NOT NULL,
  skill_difficulty varchar(15) NOT NULL DEFAULT 'normal',
  skill_category varchar(25) NOT NULL DEFAULT 'Alltag',
  PRIMARY KEY (id),
  KEY idx_learning_skill_category_difficulties_skill_category_id (skill_category_id),
  KEY idx_learning_skill_category_difficulties_skill_difficulty_id (skill_difficulty_id),
  KEY idx_learning_skill_category_difficulties_skill_id (skill_id),
  KEY idx_learning_skill_category_difficulties_s_category (skill_category),
  KEY idx_learning_skill_category_difficulties_s_difficulty (skill_difficulty),
  CONSTRAINT fk_learning_skill_category_difficulties_skill
    FOREIGN KEY (skill_id) REFERENCES gsm_skills (id)
    ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT fk_learning_skill_category_difficulties_skill_category
    FOREIGN KEY (skill_category_id) REFERENCES learning_skill_categories (id)
    ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT fk_learning_skill_category_difficulties_skill_difficulty
    FOREIGN KEY (skill_difficulty_id) REFERENCES learning_skill_difficulties (id)
    ON UPDATE CASCADE ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE learning_skill_improvement_costs (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  skill_category_difficulty_id bigint(20) unsigned NOT NULL,
  current_level bigint(20) NOT NULL,
  te_required bigint(20) NOT NULL,
  PRIMARY KEY (id),
  KEY idx_learning_skill_improvement_costs_current_level (current_level),
  KEY idx_learning_skill_improvement_costs_skill_category_diff411ad55b
    (skill_category_difficulty_id),
  CONSTRAINT fk_learning_skill_improvement_costs_skill_category_difficulty
    FOREIGN KEY (skill_category_difficulty_id) REFERENCES learning_skill_category_difficulties (id)
    ON UPDATE CASCADE ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE learning_class_category_ep_costs (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  character_class_id bigint(20) unsigned NOT NULL,
  skill_category_id bigint(20) unsigned NOT NULL,
  ep_per_te bigint(20) NOT NULL,
  character_class varchar(3) NOT NULL DEFAULT 'Or',
  skill_category varchar(15) NOT NULL DEFAULT 'Alltag',
  PRIMARY KEY (id),
  KEY idx_learning_class_category_ep_costs_cc_lass (character_class),
  KEY idx_learning_class_category_ep_costs_character_class_id (character_class_id),
  KEY idx_learning_class_category_ep_costs_skill_category_id (skill_category_id),
  KEY idx_learning_class_category_ep_costs_s_category (skill_category),
  CONSTRAINT fk_learning_class_category_ep_costs_character_class
    FOREIGN KEY (character_class_id) REFERENCES learning_character_classes (id)
    ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT fk_learning_class_category_ep_costs_skill_category
    FOREIGN KEY (skill_category_id) REFERENCES learning_skill_categories (id)
    ON UPDATE CASCADE ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE learning_spell_schools (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  name varchar(191) NOT NULL,
  description longtext,
  source_id bigint(20) unsigned NOT NULL,
  game_system varchar(191) DEFAULT 'midgard',
  quelle varchar(3) DEFAULT 'KOD',
  PRIMARY KEY (id),
  UNIQUE KEY uni_learning_spell_schools_name (name),
  KEY idx_learning_spell_schools_game_system (game_system),
  KEY idx_learning_spell_schools_quelle (quelle),
  KEY idx_learning_spell_schools_source_id (source_id),
  CONSTRAINT fk_learning_spell_schools_source
    FOREIGN KEY (source_id) REFERENCES learning_sources (id)
    ON UPDATE CASCADE ON DELETE RESTRICT
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE learning_class_spell_school_ep_costs (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  character_class_id bigint(20) unsigned NOT NULL,
  spell_school_id bigint(20) unsigned NOT NULL,
  ep_per_le bigint(20) NOT NULL,
  character_class varchar(3) NOT NULL DEFAULT 'Or',
  spell_school varchar(15) NOT NULL DEFAULT 'Dweomer',
  PRIMARY KEY (id),
  KEY idx_learning_class_spell_school_ep_costs_cc_lass (character_class),
  KEY idx_learning_class_spell_school_ep_costs_character_class_id (character_class_id),
  KEY idx_learning_class_spell_school_ep_costs_spell_school_id (spell_school_id),
  KEY idx_learning_class_spell_school_ep_costs_s_category (spell_school),
  CONSTRAINT fk_learning_class_spell_school_ep_costs_character_class
    FOREIGN KEY (character_class_id) REFERENCES learning_character_classes (id)
    ON UPDATE CASCADE ON DELETE CASCADE,
  CONSTRAINT fk_learning_class_spell_school_ep_costs_spell_school
    FOREIGN KEY (spell_school_id) REFERENCES learning_spell_schools (id)
    ON UPDATE CASCADE ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE learning_spell_level_le_costs (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  level bigint(20) NOT NULL,
  le_required bigint(20) NOT NULL,
  game_system varchar(191) DEFAULT 'midgard',
  PRIMARY KEY (id),
  UNIQUE KEY idx_learning_spell_level_le_costs_level (level),
  KEY idx_learning_spell_level_le_costs_game_system (game_system)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
