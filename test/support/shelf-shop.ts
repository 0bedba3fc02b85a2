/** Another application than Bamort: shelves with products, whose rows go when the file lacks them. */

/** Its `entities.json`. */
export const shelfShop = {
  protected: ['order_*'],
  entities: {
    products: {
      table: 'product',
      file: 'products.json',
      key: ['name'],
      missing: 'delete',
      fields: {
        name: {},
        price: { default: '0.00' },
        note: {},
        shelf: { reference: 'shelf_id', field: 'name' },
      },
      references: {
        shelf_id: { entity: 'shelves', copies: { shelf_name: 'name' }, optional: true },
      },
    },
    shelves: {
      table: 'shelf',
      file: 'shelves.json',
      key: ['name'],
      missing: 'delete',
      fields: { name: {}, height: { default: null } },
    },
  },
};

/** Its tables; orders belong to its users. */
export const shelfTables: readonly string[] = [
  `CREATE TABLE shelf (id int unsigned AUTO_INCREMENT PRIMARY KEY,
    name varchar(20) COLLATE utf8mb4_unicode_ci NOT NULL, height double)`,
  `CREATE TABLE product (id int unsigned AUTO_INCREMENT PRIMARY KEY,
    name varchar(20) COLLATE utf8mb4_unicode_ci NOT NULL, price decimal(6,2) NOT NULL, note text DEFAULT 'neu',
    shelf_id int unsigned, shelf_name varchar(20),
    FOREIGN KEY (shelf_id) REFERENCES shelf (id) ON DELETE CASCADE)`,
  `CREATE TABLE order_line (id int unsigned AUTO_INCREMENT PRIMARY KEY, product_id int unsigned,
    FOREIGN KEY (product_id) REFERENCES product (id) ON DELETE CASCADE)`,
];
