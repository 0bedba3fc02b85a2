/**
 * Events fire by themselves, whoever is locked out: they are held while the database changes, and
 * released after.
 *
 * A held event has the status `SLAVESIDE_DISABLED` ("disable on slave"): it does not fire, and,
 * unlike `DISABLED`, that is a status which no migration gives. So an event that a migration
 * disables, drops or makes again is as the migration wants it when the others are released.
 */
import sql, { raw } from 'sql-template-tag';
import { DeployError } from '../errors/deploy-error.ts';
import type { Db } from './connect.ts';
import { qualified } from './identifier.ts';
import { isMissingRight, toDeployError } from './server-errors.ts';

/** An event that might fire, as the caller records it before it holds any. */
export type RecordedEvent = {
  readonly name: string;
  /** `user@host`. */
  readonly definer: string;
  /** `SLAVESIDE_DISABLED` before the run: not ours, it stays so. */
  readonly status: 'ENABLED' | 'SLAVESIDE_DISABLED';
};

/** The events of a database that are enabled, or enabled on another server of its replication. */
export async function listEvents(db: Db, database: string): Promise<RecordedEvent[]> {
  return db.query<RecordedEvent>(
    sql`SELECT event_name AS name, definer AS definer, status AS status
        FROM information_schema.events
        WHERE event_schema = ${database} AND status <> 'DISABLED' ORDER BY event_name`,
  );
}

/** The names of those that `holdEvent` is for. */
export function heldNames(recorded: readonly RecordedEvent[]): string[] {
  return recorded.filter(({ status }) => status === 'ENABLED').map(({ name }) => name);
}

/**
 * Keeps an event from firing. One that fires now goes on to its end. Safe to repeat. To be
 * recorded before.
 *
 * @throws DeployError `RIGHT_MISSING`: for another account's event SET USER is needed
 */
export async function holdEvent(db: Db, database: string, event: RecordedEvent): Promise<void> {
  await alterEvent(db, database, event, 'DISABLE ON SLAVE');
}

/**
 * Lets the events fire again that are held since `recorded` was listed, also under a new name.
 * Safe to repeat. Goes on after a failure and throws the first one.
 *
 * @returns the names of events whose only time has passed meanwhile: enabled, the server would
 *   drop them without having run them, so they are left disabled
 * @throws DeployError `RIGHT_MISSING`, …
 */
export async function releaseEvents(
  db: Db,
  database: string,
  recorded: readonly RecordedEvent[],
): Promise<string[]> {
  const isOurs = ({ name, status }: RecordedEvent) =>
    status === 'SLAVESIDE_DISABLED' &&
    !recorded.some((before) => before.name === name && before.status === status);
  if (recorded.length === 0) return [];
  const missed = await readMissed(db, database);
  let first: unknown;
  for (const event of (await listEvents(db, database)).filter(isOurs)) {
    const status = missed.includes(event.name) ? 'DISABLE' : 'ENABLE';
    await alterEvent(db, database, event, status).catch((error: unknown) => {
      first ??= error;
    });
  }
  if (first !== undefined) throw first;
  return missed;
}

/** Held events AT a time that is over. */
async function readMissed(db: Db, database: string): Promise<string[]> {
  const rows = await db.query<{ name: string }>(
    sql`SELECT event_name AS name FROM information_schema.events
        WHERE event_schema = ${database} AND status = 'SLAVESIDE_DISABLED'
          AND CONVERT_TZ(execute_at, time_zone, '+00:00') <= UTC_TIMESTAMP()`,
  );
  return rows.map(({ name }) => name);
}

async function alterEvent(
  db: Db,
  database: string,
  event: RecordedEvent,
  to: 'ENABLE' | 'DISABLE' | 'DISABLE ON SLAVE',
): Promise<void> {
  try {
    // ALTER EVENT makes who runs it the definer, unless it names one (tried on 10.11).
    await db.run(
      sql`ALTER DEFINER = ${definerOf(event)} EVENT ${qualified(database, event.name)} ${raw(to)}`,
    );
  } catch (error) {
    const what = `the event ${event.name} of ${event.definer} could not be switched to ${to}`;
    if (!isMissingRight(error)) throw toDeployError(error, what);
    throw new DeployError('RIGHT_MISSING', what, {
      cause: error,
      next: [
        'let an administrator run: GRANT SET USER ON *.* TO the account of this program',
        'or take events over: DROP EVENT and CREATE EVENT as that account',
      ],
    });
  }
}

function definerOf({ definer }: RecordedEvent) {
  const at = definer.lastIndexOf('@');
  const quote = (part: string) => `\`${part.replaceAll('`', '``')}\``;
  return raw(`${quote(definer.slice(0, at))}@${quote(definer.slice(at + 1))}`);
}
