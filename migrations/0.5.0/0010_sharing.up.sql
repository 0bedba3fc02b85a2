-- Players can show their characters to others: who may see what is in char_shares, and users get a
-- name for others to see, which is empty until somebody enters one.
--! description: shared characters and display names

CREATE TABLE char_shares (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  character_id bigint(20) unsigned,
  user_id bigint(20) unsigned,
  permission longtext,
  PRIMARY KEY (id),
  KEY idx_char_shares_character_id (character_id),
  KEY idx_char_shares_user_id (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

ALTER TABLE users
  ADD COLUMN display_name varchar(191) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci
    NOT NULL DEFAULT '';
