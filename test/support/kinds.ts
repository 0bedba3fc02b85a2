/** A table, a view and a sequence each become one of the others; `t_v` is a table first and then a view. */
export const kindsBefore: readonly string[] = [
  'CREATE TABLE t_v (id INT PRIMARY KEY)',
  'INSERT INTO t_v VALUES (1), (2)',
  'CREATE TABLE t_s (id INT PRIMARY KEY)',
  'CREATE VIEW v_t AS SELECT id FROM t_s',
  'CREATE VIEW v_s AS SELECT id FROM t_v',
  'CREATE SEQUENCE s_t START WITH 5',
  'CREATE SEQUENCE s_v START WITH 50',
  'CREATE TABLE numbered_by (a BIGINT DEFAULT NEXTVAL(s_t) PRIMARY KEY, b BIGINT DEFAULT NEXTVAL(s_v), v INT)',
  'INSERT INTO numbered_by (v) VALUES (1), (2)',
];

/** Also for a database without them: a migration is tried on one. */
export const kindsAfter: readonly string[] = [
  'RENAME TABLE IF EXISTS t_v TO t_v_rows',
  'CREATE TABLE IF NOT EXISTS t_v_rows (id INT PRIMARY KEY)',
  'CREATE VIEW t_v AS SELECT id FROM t_v_rows',
  'DROP TABLE IF EXISTS t_s',
  'CREATE SEQUENCE t_s',
  'DROP VIEW IF EXISTS v_t',
  'CREATE TABLE v_t (id INT PRIMARY KEY)',
  'DROP VIEW IF EXISTS v_s',
  'CREATE SEQUENCE v_s',
  'DROP TABLE IF EXISTS numbered_by',
  'DROP SEQUENCE IF EXISTS s_t',
  'CREATE TABLE s_t (id INT PRIMARY KEY)',
  'INSERT INTO s_t VALUES (7)',
  'CREATE TABLE of_s_t (id INT PRIMARY KEY, CONSTRAINT of_s_t FOREIGN KEY (id) REFERENCES s_t (id))',
  'CREATE TRIGGER on_s_t BEFORE INSERT ON s_t FOR EACH ROW SET NEW.id = NEW.id + 1',
  'DROP SEQUENCE IF EXISTS s_v',
  'CREATE VIEW s_v AS SELECT id FROM s_t',
];
