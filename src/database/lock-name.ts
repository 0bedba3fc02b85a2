/** Pure: the name of the deploy lock. A file of its own, so that the sidecar may ask who holds it. */
import sql, { type Sql } from 'sql-template-tag';
import { shortHash } from './identifier.ts';

/**
 * Names the lock of a database: `deploy:bamort`. Lock names are server-wide and compare like text,
 * so the hash tells `App` and `app` apart, which are two databases where the server has both.
 */
export function lockName(database: string): string {
  const name = database.toLowerCase();
  return name === database
    ? nameOf(name)
    : `${nameOf(name).slice(0, 47)}~${shortHash(database, 16)}`;
}

/**
 * The name of the lock for a statement. Where `lower_case_table_names` is not 0 the server takes
 * `App` and `app` for one database: there both must get the same lock.
 */
export function lockNameSql(database: string): Sql {
  const [exact, folded] = [lockName(database), nameOf(database.toLowerCase())];
  return exact === folded
    ? sql`${exact}`
    : sql`IF(@@lower_case_table_names = 0, ${exact}, ${folded})`;
}

function nameOf(name: string): string {
  // Only plain ASCII stands for itself: the server takes `grösse` and `grosse` for one lock name.
  if (name.length <= 57 && /^[a-z0-9_$-]+$/.test(name)) return `deploy:${name}`;
  return `deploy:${name.replaceAll(/[^a-z0-9_$-]/g, '.').slice(0, 40)}~${shortHash(name, 16)}`;
}
