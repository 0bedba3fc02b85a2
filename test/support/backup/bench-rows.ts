/** The database of the backup bench: four tables, secondary and foreign keys, keys of several kinds. */
import type { Db } from '../../../src/database/connect.ts';

type Table = {
  readonly columns: string;
  /** Added when the rows are there, which is many times faster. */
  readonly keys: string;
  readonly rows: string;
};

/** Fills an empty database with so many rows, one connection for each table. */
export async function fillShop(connect: () => Promise<Db>, rowCount: number): Promise<void> {
  const tables = Object.entries(tablesOf(rowCount));
  await Promise.all(
    tables.map(async ([name, { columns, keys, rows }]) => {
      const db = await connect();
      await db.run('SET foreign_key_checks = 0');
      await db.run(`CREATE TABLE ${name} (${columns})`);
      await db.run(`INSERT INTO ${name} ${rows}`);
      await db.run(`ALTER TABLE ${name} ${keys}`);
    }),
  );
  const db = await connect();
  await db.run('SET foreign_key_checks = 0');
  await db.run('ALTER TABLE items ADD FOREIGN KEY (user_id) REFERENCES users (id)');
  await db.run('ALTER TABLE logs ADD FOREIGN KEY (item_id) REFERENCES items (id)');
  await db.run(`ANALYZE TABLE ${tables.map(([name]) => name).join(', ')}`);
}

function tablesOf(rowCount: number): Readonly<Record<string, Table>> {
  const users = Math.round(0.1 * rowCount);
  const items = Math.round(0.4 * rowCount);
  const logs = Math.round(0.3 * rowCount);
  const tags = rowCount - users - items - logs;
  return {
    items: {
      columns: `id BIGINT AUTO_INCREMENT PRIMARY KEY, user_id INT UNSIGNED NOT NULL, code CHAR(32) NOT NULL,
        amount DECIMAL(12,2), note VARCHAR(200), at DATETIME`,
      keys: 'ADD KEY (user_id), ADD KEY (code), ADD KEY (at)',
      rows: `SELECT seq, 1 + MOD(seq * 7919, ${users}), MD5(seq), MOD(seq, 99999) / 7,
        CONCAT(MD5(seq + 1), ' a note ', MD5(seq + 2)), '2020-01-01' + INTERVAL MOD(seq * 31, 9999999) SECOND
        FROM seq_1_to_${items}`,
    },
    logs: {
      columns:
        'id BIGINT AUTO_INCREMENT PRIMARY KEY, item_id BIGINT, kind TINYINT, body TEXT, digest BINARY(16)',
      keys: 'ADD KEY (item_id), ADD KEY (kind, digest)',
      rows: `SELECT seq, 1 + MOD(seq * 104729, ${items}), MOD(seq, 9),
        CONCAT('body ', REPEAT(MD5(seq), 4 + MOD(seq, 5))), UNHEX(MD5(seq * 5)) FROM seq_1_to_${logs}`,
    },
    tags: {
      columns: 'item_id BIGINT NOT NULL, tag VARCHAR(20) NOT NULL, PRIMARY KEY (item_id, tag)',
      keys: 'ADD KEY (tag)',
      rows: `SELECT 1 + MOD(seq, ${items}), CONCAT('tag', seq DIV ${items}, '-', MOD(seq, 37)) FROM seq_1_to_${tags}`,
    },
    users: {
      columns: `id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, name VARCHAR(60), email VARCHAR(80), token CHAR(32),
        created DATETIME`,
      keys: 'ADD UNIQUE KEY (email), ADD KEY (token), ADD KEY (name)',
      rows: `SELECT seq, CONCAT('name ', LEFT(MD5(seq), 8)), CONCAT(MD5(seq * 3), '@example.org'), MD5(seq * 7),
        '2020-01-01' + INTERVAL seq SECOND FROM seq_1_to_${users}`,
    },
  };
}
