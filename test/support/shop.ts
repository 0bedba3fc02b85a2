/** A small application for tests: two tables, and a migration of six statements, DDL and DML. */
import { execFileSync } from 'node:child_process';
import type { Db } from '../../src/database/connect.ts';
import type { Site } from './deploy.ts';

export const shop: Readonly<Record<string, string>> = {
  '0.1.0/0001_customers.up.sql': `--! description: customers and orders
CREATE TABLE customer (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(100) NOT NULL, city VARCHAR(100)) COLLATE utf8mb4_unicode_ci;
CREATE TABLE purchase (id INT AUTO_INCREMENT PRIMARY KEY, customer_id INT NOT NULL, cents BIGINT NOT NULL,
  CONSTRAINT purchase_customer FOREIGN KEY (customer_id) REFERENCES customer (id)) COLLATE utf8mb4_unicode_ci;
`,
  '0.1.0/0001_customers.down.sql': 'DROP TABLE purchase;\nDROP TABLE customer;\n',
};

/** The step that the tests break off: cities get a table of their own. */
export const cities: Readonly<Record<string, string>> = {
  '0.2.0/0002_cities.up.sql': `--! description: cities get a table of their own
CREATE TABLE city (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(100) NOT NULL UNIQUE) COLLATE utf8mb4_unicode_ci;
INSERT INTO city (name) SELECT DISTINCT city FROM customer WHERE city IS NOT NULL ORDER BY city;
ALTER TABLE customer ADD city_id INT NULL AFTER city;
UPDATE customer JOIN city ON city.name = customer.city SET customer.city_id = city.id;
ALTER TABLE customer ADD CONSTRAINT customer_city FOREIGN KEY (city_id) REFERENCES city (id);
ALTER TABLE customer DROP COLUMN city;
`,
  '0.2.0/0002_cities.down.sql': `ALTER TABLE customer ADD city VARCHAR(100) NULL AFTER name;
UPDATE customer JOIN city ON city.id = customer.city_id SET customer.city = city.name;
ALTER TABLE customer DROP FOREIGN KEY customer_city;
ALTER TABLE customer DROP INDEX customer_city;
ALTER TABLE customer DROP COLUMN city_id;
DROP TABLE city;
`,
};

/** The same step with a last statement that only the rows make fail. */
export const citiesThatFail: Readonly<Record<string, string>> = {
  ...cities,
  '0.2.0/0002_cities.up.sql': cities['0.2.0/0002_cities.up.sql']!.replace(
    'ALTER TABLE customer DROP COLUMN city;',
    'ALTER TABLE customer ADD UNIQUE INDEX one_per_city (city_id);',
  ),
};

/** The first shop of a server: the others are copies of it, which is faster than another run. */
const firstShops = new Map<string, string>();

/** Brings a site to 0.1.0 and fills it: 500 customers in 20 cities, two purchases each. */
export async function openShop(site: Site): Promise<Db> {
  await site.write(shop);
  const socket = site.env['DB_HOST']!;
  const first = firstShops.get(socket);
  if (first !== undefined) {
    copyDatabase(socket, first, site.database);
    return site.connect();
  }
  const ended = await site.deploy(['up']);
  if (ended.code !== 0) throw new Error(ended.stderr);
  const db = await site.connect();
  await db.run(`INSERT INTO customer (name, city)
    SELECT CONCAT('Kundin ', seq, ' Ä'), IF(seq % 21 = 0, NULL, CONCAT('Stadt ', seq % 21)) FROM seq_1_to_500`);
  await db.run(
    'INSERT INTO purchase (customer_id, cents) SELECT c.id, c.id * n.seq FROM customer c JOIN seq_1_to_2 n',
  );
  const copy = `${site.database}_first`;
  await db.run(`CREATE DATABASE ${copy} COLLATE utf8mb4_unicode_ci`);
  copyDatabase(socket, site.database, copy);
  firstShops.set(socket, copy);
  return db;
}

/** Copies a database with everything in it, the journal as well, into an empty one of the same server. */
export function copyDatabase(socket: string, from: string, to: string): void {
  const client = [`--socket=${socket}`, '--user=root'];
  const limits = { maxBuffer: 2 ** 28 };
  const options = ['--skip-comments', '--routines', '--triggers', '--events'];
  const dump = execFileSync('mariadb-dump', [...client, ...options, from], limits);
  execFileSync('mariadb', [...client, to], { ...limits, input: dump });
}
