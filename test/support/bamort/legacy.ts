/** A Bamort database as it was before this program: 0.3.0, with rows and without any history. */
import type { Db } from '../../../src/database/connect.ts';
import { makeSite, type Site } from '../deploy.ts';
import type { Cleanup, TestServer } from '../server.ts';
import { migrationsDir, readRows, runUpTo } from './migrate.ts';
import { fillLegacy } from './rows.ts';

/** What takes it further than one version. */
export const stepwise = { UPDATE_PATH: 'stepwise', BACKEND_VERSION: '0.2.2' };

/** Makes one, and gives its rows as they were. */
export async function legacySite(
  t: Cleanup,
  server: TestServer,
  characters: number,
  imageBytes: number,
): Promise<{ site: Site; db: Db; rows: Awaited<ReturnType<typeof readRows>> }> {
  const site = await makeSite(t, server, {}, { migrationsDir });
  const db = await site.connect();
  await runUpTo(db, '0.3.0');
  await fillLegacy(db, { characters, seed: 11, imageBytes });
  return { site, db, rows: await readRows(db) };
}
