/** Pure: the name of the deploy lock. A file of its own, so that the sidecar may ask who holds it. */
import { shortHash } from './identifier.ts';

/** Names the lock of a database: `deploy:bamort`. Lock names are server-wide and compare like text. */
export function lockName(database: string): string {
  const name = database.toLowerCase();
  // Only plain ASCII stands for itself: the server takes `grösse` and `grosse` for one lock name.
  if (name.length <= 57 && /^[a-z0-9_$-]+$/.test(name)) return `deploy:${name}`;
  return `deploy:${name.replaceAll(/[^a-z0-9_$-]/g, '.').slice(0, 40)}~${shortHash(name, 16)}`;
}
