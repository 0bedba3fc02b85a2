/**
 * One sync as a process of its own, so that it can be killed: `node sync-process.ts <socket>
 * <database> <folder>`. Prints `synced` when it is committed.
 */
import { withConnection } from '../../src/database/connect.ts';
import { inTransaction } from '../../src/database/transaction.ts';
import { readEntities } from '../../src/masterdata/entities.ts';
import { readMasterdata } from '../../src/masterdata/read.ts';
import { syncMasterdata } from '../../src/masterdata/sync.ts';
import { makeSocketAddress } from '../../src/scratch/server.ts';

const [socket, database, dir] = process.argv.slice(2) as [string, string, string];
const set = await readMasterdata(dir, await readEntities(dir));
await withConnection(makeSocketAddress(socket), { database }, (db) =>
  inTransaction(db, () => syncMasterdata(db, set)),
);
process.stdout.write('synced\n');
