/** Events that fire while the database changes: disabled before, enabled again after. */
import sql, { raw } from 'sql-template-tag';
import type { Db } from './connect.ts';
import { qualified } from './identifier.ts';
import { toDeployError } from './server-errors.ts';

/** An event that was enabled, as the caller records it before it disables it. */
export type EnabledEvent = {
  readonly name: string;
  /** `user@host`. */
  readonly definer: string;
};

/** The enabled events of a database. */
export async function listEnabledEvents(db: Db, database: string): Promise<EnabledEvent[]> {
  return db.query<EnabledEvent>(
    sql`SELECT event_name AS name, definer AS definer FROM information_schema.events
        WHERE event_schema = ${database} AND status = 'ENABLED' ORDER BY event_name`,
  );
}

/**
 * Disables or enables events. Safe to repeat.
 *
 * @throws DeployError `RIGHT_MISSING`: for another account's event SET USER is needed
 */
export async function switchEvents(
  db: Db,
  database: string,
  events: readonly EnabledEvent[],
  to: 'ENABLE' | 'DISABLE',
): Promise<void> {
  for (const event of events) {
    try {
      // ALTER EVENT makes who runs it the definer, unless it names one (tried on 10.11).
      await db.run(
        sql`ALTER DEFINER = ${definerOf(event)} EVENT ${qualified(database, event.name)} ${raw(to)}`,
      );
    } catch (error) {
      throw toDeployError(error, `the event ${event.name} could not be switched`);
    }
  }
}

function definerOf({ definer }: EnabledEvent) {
  const at = definer.lastIndexOf('@');
  const quote = (part: string) => `\`${part.replaceAll('`', '``')}\``;
  return raw(`${quote(definer.slice(0, at))}@${quote(definer.slice(at + 1))}`);
}
