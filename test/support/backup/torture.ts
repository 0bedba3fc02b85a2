import { readFileSync } from 'node:fs';
import type { Db } from '../../../src/database/connect.ts';

const FILE = new URL('./torture.sql', import.meta.url);

/**
 * Fills the default database of `db` with one of everything that an application's schema may
 * have: odd names, every kind of value, foreign keys in a circle, a sequence as a default, views
 * on later views, triggers in an order of their own, events, routines in other modes and
 * character sets, and a table of this program itself.
 */
export async function fillWithTorture(db: Db): Promise<void> {
  for (const statement of readFileSync(FILE, 'utf8').split('\n$$\n')) {
    if (statement.trim() !== '') await db.run(statement);
  }
}
