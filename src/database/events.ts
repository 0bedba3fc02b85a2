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
  /** UTC; an event keeps it under a new name. */
  readonly createdAt: string;
};

/** The events of a database that are enabled, or enabled on another server of its replication. */
export async function listEvents(db: Db, database: string): Promise<RecordedEvent[]> {
  return db.query<RecordedEvent>(
    sql`SELECT event_name AS name, definer AS definer, status AS status,
          CAST(CONVERT_TZ(created, @@time_zone, '+00:00') AS CHAR) AS createdAt
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
  await switchEvent(db, database, event, 'DISABLE ON SLAVE');
}

/**
 * Lets the events fire again that are held since `recorded` was listed, also under a new name;
 * an event that somebody else keeps from firing stays so. Safe to repeat. Goes on after a failure and throws the first one.
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
  if (recorded.length === 0) return [];
  const ours = ourEvents(recorded, await listEvents(db, database));
  const missed = (await readMissed(db, database)).filter((missing) =>
    ours.some(({ name }) => name === missing),
  );
  let first: unknown;
  for (const event of ours) {
    const status = missed.includes(event.name) ? 'DISABLE' : 'ENABLE';
    await switchEvent(db, database, event, status).catch((error: unknown) => {
      first ??= error;
    });
  }
  if (first !== undefined) throw first;
  return missed;
}

/**
 * Those of the held events of now that were enabled when `recorded` was listed. One of another
 * name is the one that was made at the same time and is gone. Pure.
 */
function ourEvents(
  recorded: readonly RecordedEvent[],
  now: readonly RecordedEvent[],
): RecordedEvent[] {
  const wereOn = recorded.filter(({ status }) => status === 'ENABLED');
  const isThere = ({ name }: RecordedEvent) => now.some((event) => event.name === name);
  const renamedAt = wereOn.filter((event) => !isThere(event)).map(({ createdAt }) => createdAt);
  const isOurs = ({ name, createdAt }: RecordedEvent) =>
    wereOn.some((event) => event.name === name) ||
    (renamedAt.includes(createdAt) && !recorded.some((event) => event.name === name));
  return now.filter((event) => event.status === 'SLAVESIDE_DISABLED' && isOurs(event));
}

/** An event AT one time, as `switchEvent` takes it, and whether that time is over. */
export async function readOneTimeEvent(
  db: Db,
  database: string,
  name: string,
): Promise<{ readonly name: string; readonly definer: string; readonly isOver: boolean } | null> {
  const row = await db.one<{ definer: string; isOver: number | null }>(
    sql`SELECT definer AS definer,
          CONVERT_TZ(execute_at, time_zone, '+00:00') <= UTC_TIMESTAMP() AS isOver
        FROM information_schema.events WHERE event_schema = ${database} AND event_name = ${name}`,
  );
  return row === undefined
    ? null
    : { name, definer: row.definer, isOver: Number(row.isOver) === 1 };
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

/**
 * Gives an event another status and changes nothing else of it: neither its definer nor its
 * character sets.
 *
 * @throws DeployError `RIGHT_MISSING`, …
 */
export async function switchEvent(
  db: Db,
  database: string,
  event: Pick<RecordedEvent, 'name' | 'definer'>,
  to: 'ENABLE' | 'DISABLE' | 'DISABLE ON SLAVE',
): Promise<void> {
  try {
    await alterEvent(db, database, event, to);
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

/**
 * ALTER EVENT makes who runs it the definer, unless it names one, and writes the character sets of
 * its session over those of the event, in which the stored bytes of the body then mean something
 * else (tried on 10.11; sql_mode and time zone stay). So it runs in those of the event. One
 * compound statement, because the connection is shared: nothing else is sent in these sets.
 */
async function alterEvent(
  db: Db,
  database: string,
  event: Pick<RecordedEvent, 'name' | 'definer'>,
  to: string,
): Promise<void> {
  const sets = await db.one<Record<'client' | 'connection' | 'ownClient' | 'own', string>>(
    sql`SELECT character_set_client AS client, collation_connection AS connection,
          @@character_set_client AS ownClient, @@collation_connection AS own
        FROM information_schema.events WHERE event_schema = ${database} AND event_name = ${event.name}`,
  );
  const alter = sql`ALTER DEFINER = ${definerOf(event)} EVENT ${qualified(database, event.name)} ${raw(to)}`;
  // Gone: the server says so better.
  if (sets === undefined) return void (await db.run(alter));
  const setsTo = (client: string, connection: string) =>
    raw(`SET SESSION character_set_client=${client}, collation_connection=${connection}`);
  const back = setsTo(sets.ownClient, sets.own);
  // The text is converted by EXECUTE IMMEDIATE: names need not be ASCII.
  await db.run(sql`BEGIN NOT ATOMIC
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ${back}; RESIGNAL; END;
    ${setsTo(sets.client, sets.connection)};
    EXECUTE IMMEDIATE ${alter.sql};
    ${back};
  END`);
}

function definerOf({ definer }: Pick<RecordedEvent, 'definer'>) {
  const at = definer.lastIndexOf('@');
  const quote = (part: string) => `\`${part.replaceAll('`', '``')}\``;
  return raw(`${quote(definer.slice(0, at))}@${quote(definer.slice(at + 1))}`);
}
