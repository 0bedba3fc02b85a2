import { randomBytes } from 'node:crypto';
import type { ServerAddress } from '../config/config.ts';
import { withConnection } from '../database/connect.ts';
import { quoteNameText } from '../database/identifier.ts';
import { type SchemaDefaults, schemaAttributes } from './read-tables.ts';

export type ImportAccounts = {
  /** Reaches one schema only. For loading the foreign SQL. */
  readonly importer: ServerAddress;
  /** May do everything, under a name that no dump can know. For what comes after. */
  readonly keeper: ServerAddress;
};

/**
 * Makes the schema of a dump in a private server, and leaves no account there with rights whose
 * name can be guessed. SET USER lets the importer make objects of other definers, as dumps have
 * them, and a trigger or function runs with the rights of its definer: one of root could SET GLOBAL
 * general_log_file and write anywhere. root stays as a definer, with rights on the schema alone.
 *
 * DATA LOSS: drops the schema and all accounts, of the private server only, which is empty.
 */
export async function makeImportAccounts(
  root: ServerAddress,
  database: string,
  defaults: SchemaDefaults,
): Promise<ImportAccounts> {
  const keeper = { ...root, user: `keeper_${randomBytes(12).toString('hex')}`, password: '' };
  await withConnection(root, {}, (db) =>
    db.run(`GRANT ALL PRIVILEGES ON *.* TO ${keeper.user}@localhost WITH GRANT OPTION`),
  );
  await withConnection(keeper, {}, async (db) => {
    const accounts = await db.query<{ user: string; host: string }>(
      'SELECT User AS user, Host AS host FROM mysql.global_priv',
    );
    // mariadb.sys and, beside root, the account of the system's user who installed: all of them.
    for (const { user, host } of accounts) {
      if (user === keeper.user) continue;
      await db.run(`DROP USER ${quoteNameText(user)}@${quoteNameText(host)}`);
    }
    const schema = quoteNameText(database);
    await db.run(`CREATE OR REPLACE DATABASE ${schema} ${schemaAttributes(defaults)}`);
    const pattern = quoteNameText(database.replaceAll(/[\\_%]/g, '\\$&'));
    for (const account of ['importer@localhost', 'root@localhost']) {
      await db.run(`CREATE USER ${account}`);
      await db.run(`GRANT ALL PRIVILEGES ON ${pattern}.* TO ${account}`);
    }
    await db.run('GRANT SET USER ON *.* TO importer@localhost');
  });
  return { importer: { ...root, user: 'importer', password: '' }, keeper };
}
