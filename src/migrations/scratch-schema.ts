import sql from 'sql-template-tag';
import { type Db, withConnection } from '../database/connect.ts';
import { quoteName } from '../database/identifier.ts';
import { DeployError } from '../errors/deploy-error.ts';
import type { Scratch } from '../scratch/server.ts';

/**
 * Lets `create` make the schema `name` on the scratch server, runs `work`, and drops the schema.
 * `work` gets two connections: on the first migrations run and may set what they like, the second
 * reads.
 *
 * DATA LOSS: a schema of this name that is already there goes. Only ever give it a scratch server.
 *
 * @throws DeployError `SCRATCH_FAILED` when the scratch server ends meanwhile.
 */
export async function withScratchSchema<T>(
  { address }: Scratch,
  name: string,
  create: (admin: Db) => Promise<unknown>,
  work: (db: Db, reader: Db) => Promise<T>,
): Promise<T> {
  const drop = sql`DROP DATABASE IF EXISTS ${quoteName(name)}`;
  return withConnection(address, {}, async (admin) => {
    try {
      await admin.run(drop);
      await create(admin);
      const options = { database: name };
      return await withConnection(address, options, (db) =>
        withConnection(address, options, (reader) => work(db, reader)),
      );
    } catch (error) {
      if (await isAlive(admin)) throw error;
      const message = 'the scratch server ended while migrations ran on it';
      throw new DeployError('SCRATCH_FAILED', message, { cause: error });
    } finally {
      // The server goes anyway; the first error must not be hidden.
      await admin.run(drop).catch(() => undefined);
    }
  });
}

async function isAlive(db: Db): Promise<boolean> {
  return db.run('DO 0').then(
    () => true,
    () => false,
  );
}
