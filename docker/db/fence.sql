-- What an account needs that keeps the application out while the database changes, and no more.
--
-- Locking accounts needs the right CREATE USER, which is as good as root. These procedures run with
-- the rights of the administrator who makes them, and touch only the accounts that the table
-- deploy_fence.accounts names: never root, never a role, never the account that calls them. Whoever
-- calls them needs EXECUTE and nothing else. MariaDB 10.6 or later; may be run as often as you like:
--
--     mariadb --user=root < docker/db/fence.sql
--     INSERT IGNORE INTO deploy_fence.accounts VALUES ('backend');
--     GRANT EXECUTE ON `deploy\_fence`.* TO 'deploy'@'%';
--
-- The image of MariaDB runs this file by itself when it makes a new data directory; users.sh does
-- the other two, and is also for a server that is older. docs/runbook.md says more.

SET SESSION sql_mode = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION';

CREATE DATABASE IF NOT EXISTS deploy_fence CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- The type of user names in mysql.global_priv.
CREATE TABLE IF NOT EXISTS deploy_fence.accounts (
  user CHAR(128) CHARACTER SET utf8mb3 COLLATE utf8mb3_bin NOT NULL PRIMARY KEY COMMENT 'on all its hosts'
) ENGINE=InnoDB COMMENT='accounts of the application, which deploy may lock';

DELIMITER //

CREATE OR REPLACE FUNCTION deploy_fence.may_fence(account_user CHAR(128) CHARACTER SET utf8mb3 COLLATE utf8mb3_bin)
RETURNS BOOLEAN
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
  -- Who calls, not whose rights count: USER() stays the caller's. A name may have an @ in it.
  DECLARE caller VARCHAR(256) DEFAULT USER();
  SET caller = LEFT(caller, CHAR_LENGTH(caller) - CHAR_LENGTH(SUBSTRING_INDEX(caller, '@', -1)) - 1);
  RETURN account_user NOT IN ('', 'root', 'mysql', 'mariadb.sys')
    AND account_user <> CONVERT(caller USING utf8mb3) COLLATE utf8mb3_bin
    AND EXISTS (SELECT 1 FROM deploy_fence.accounts known WHERE known.user = account_user);
END//

CREATE OR REPLACE PROCEDURE deploy_fence.list_accounts()
READS SQL DATA
SQL SECURITY DEFINER
COMMENT 'the accounts that may be locked, on all their hosts, with their state'
BEGIN
  SELECT user AS user, host AS host, JSON_VALUE(priv, '$.account_locked') AS locked
  FROM mysql.global_priv
  WHERE JSON_VALUE(priv, '$.is_role') IS NULL AND deploy_fence.may_fence(user)
  ORDER BY user, host;
END//

CREATE OR REPLACE PROCEDURE deploy_fence.switch_account(
  account_user CHAR(128) CHARACTER SET utf8mb3 COLLATE utf8mb3_bin,
  account_host VARCHAR(255) CHARACTER SET utf8mb3 COLLATE utf8mb3_bin,
  lock_or_unlock ENUM('LOCK', 'UNLOCK'))
MODIFIES SQL DATA
SQL SECURITY DEFINER
COMMENT 'locks or unlocks one account'
BEGIN
  -- A role has no host.
  IF account_host = '' OR NOT deploy_fence.may_fence(account_user) THEN
    SIGNAL SQLSTATE '42000' SET MYSQL_ERRNO = 1227,
      MESSAGE_TEXT = 'deploy_fence.accounts does not name this account';
  END IF;
  EXECUTE IMMEDIATE CONCAT(
    'ALTER USER `', REPLACE(account_user, '`', '``'), '`@`', REPLACE(account_host, '`', '``'),
    '` ACCOUNT ', lock_or_unlock);
END//

CREATE OR REPLACE PROCEDURE deploy_fence.list_sessions()
READS SQL DATA
SQL SECURITY DEFINER
COMMENT 'the sessions of the accounts that may be locked'
BEGIN
  SELECT id AS id, user AS user FROM information_schema.processlist WHERE deploy_fence.may_fence(user);
END//

CREATE OR REPLACE PROCEDURE deploy_fence.kill_session(session_id BIGINT UNSIGNED)
READS SQL DATA
SQL SECURITY DEFINER
COMMENT 'ends a session of an account that may be locked'
BEGIN
  DECLARE session_user VARCHAR(128) CHARACTER SET utf8mb3 COLLATE utf8mb3_bin;
  SET session_user = (SELECT user FROM information_schema.processlist WHERE id = session_id);
  IF session_user IS NOT NULL AND NOT deploy_fence.may_fence(session_user) THEN
    SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1095,
      MESSAGE_TEXT = 'the session is none of the accounts that deploy_fence.accounts names';
  END IF;
  IF session_user IS NULL THEN
    SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1094, MESSAGE_TEXT = 'there is no such session';
  END IF;
  -- Numbers of sessions are not used twice.
  KILL CONNECTION session_id;
END//

DELIMITER ;
