/** An application whose one migration mixes everything: DDL, DML, routines, triggers, a view, a data function. */
import type { Db } from '../../src/database/connect.ts';
import type { Site } from './deploy.ts';
import { openShop } from './shop.ts';

const up = `--! description: parcels, prices and who watches them
CREATE TABLE parcel (id INT AUTO_INCREMENT PRIMARY KEY, purchase_id INT NOT NULL, grams INT NOT NULL) COLLATE utf8mb4_unicode_ci;
INSERT INTO parcel (purchase_id, grams) SELECT id, 100 + id FROM purchase ORDER BY id;
ALTER TABLE purchase ADD fee BIGINT NOT NULL DEFAULT 0 AFTER cents;
DELIMITER //
CREATE PROCEDURE raise_fee(IN cents BIGINT)
BEGIN
  UPDATE purchase SET fee = fee + cents;
END//
CREATE TRIGGER parcel_weight BEFORE INSERT ON parcel FOR EACH ROW
BEGIN
  SET NEW.grams = GREATEST(NEW.grams, 1);
END//
DELIMITER ;
UPDATE purchase SET fee = cents DIV 10, customer_id = customer_id;
CREATE VIEW fees AS SELECT customer_id, SUM(fee) AS fee FROM purchase GROUP BY customer_id;
ALTER TABLE parcel ADD CONSTRAINT parcel_purchase FOREIGN KEY (purchase_id) REFERENCES purchase (id);
DELETE FROM parcel WHERE purchase_id % 7 = 0;
ALTER TABLE customer MODIFY name VARCHAR(150) NOT NULL, ADD INDEX by_name (name);
CREATE OR REPLACE VIEW fees AS SELECT customer_id, SUM(fee) AS fee, COUNT(*) AS purchases FROM purchase GROUP BY customer_id;
ALTER TABLE purchase ADD INDEX by_fee (fee), ALGORITHM=COPY;
`;

const down = `ALTER TABLE purchase DROP INDEX by_fee;
DROP VIEW fees;
ALTER TABLE customer DROP INDEX by_name, MODIFY name VARCHAR(100) NOT NULL;
ALTER TABLE parcel DROP FOREIGN KEY parcel_purchase;
DROP TRIGGER parcel_weight;
DROP PROCEDURE raise_fee;
ALTER TABLE purchase DROP COLUMN fee;
DROP TABLE parcel;
`;

const data = `export async function up(db) {
  for (const { id } of await db.query('SELECT id FROM purchase WHERE id % 50 = 0 ORDER BY id')) {
    await db.run('UPDATE purchase SET fee = fee + 1 WHERE id = ?', [id]);
    await db.run('INSERT INTO parcel (purchase_id, grams) VALUES (?, ?)', [id, 0]);
  }
}
export async function down(db) {
  await db.run('DELETE FROM parcel WHERE grams = 1');
}
`;

/** Twelve statements and a data function; the down file takes them back. */
export const parcels: Readonly<Record<string, string>> = {
  '0.2.0/0002_parcels.up.sql': up,
  '0.2.0/0002_parcels.down.sql': down,
  '0.2.0/0002_parcels.data.ts': data,
};

/** How many actions `parcels` has in each direction: statements, data function, record. */
export const parcelActions = { up: 14, down: 10 };

/** The shop of `openShop`, at 0.1.0, with `parcels` to come. */
export async function openDepot(site: Site): Promise<Db> {
  const db = await openShop(site);
  await site.write(parcels);
  return db;
}
