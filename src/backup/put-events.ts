import type { Log } from '../config/log.ts';
import { type Db, PINNED_SQL_MODE } from '../database/connect.ts';
import { readOneTimeEvent, switchEvent } from '../database/events.ts';
import { quoteNameText } from '../database/identifier.ts';
import { readLexemes } from '../statements/lexemes.ts';
import { runSection } from './load.ts';
import { changeCreate } from './object-statements.ts';
import type { Section } from './section-file.ts';

/**
 * Makes one event of a set. An enabled one AT a time that is over would be fired and dropped by the
 * server at once, long after it was meant: it is left disabled and the log says so. Whether its
 * time is over is the server's to say, so it is made disabled and enabled afterwards; after a
 * death between the two it differs from the set and is made again.
 *
 * @returns whether it was left disabled
 * @throws DeployError `PUT_BACK_FAILED`
 */
export async function putEvent(
  { db, database, log }: { readonly db: Db; readonly database: string; readonly log: Log },
  section: Section,
): Promise<boolean> {
  const scheduler = await db.one<{ state: string }>('SELECT @@GLOBAL.event_scheduler AS state');
  // Nothing is fired or dropped where it does not run: the event comes back as it was.
  const change = scheduler?.state === 'ON' ? disabledOnce : (create: string) => create;
  const made = { ...section, statements: changeCreate(section.statements, change) };
  const name = section.key!.slice('event:'.length);
  // A try before this one may have waited too long between making and enabling it.
  await db.run(`DROP EVENT IF EXISTS ${quoteNameText(name)}`);
  await runSection(db, made, 'PUT_BACK_FAILED');
  if (made.statements.every((text, index) => text === section.statements[index])) return false;
  // Making it left the session in the event's character set, modes and time.
  await db.run('SET NAMES utf8mb4');
  await db.run(`SET SESSION sql_mode='${PINNED_SQL_MODE}', time_zone='+00:00', timestamp=DEFAULT`);
  const event = await readOneTimeEvent(db, database, name);
  // Dropped by somebody else: the comparison says so.
  if (event === null) return false;
  if (event.isOver) {
    log.warn({ event: name }, `the time of the event ${name} is over: it is left disabled`);
    return true;
  }
  await switchEvent(db, database, event, 'ENABLE');
  return false;
}

/** CREATE EVENT of an enabled event AT one time as one that is disabled; others as they are. Pure. */
export function disabledOnce(create: string): string {
  const { lexemes } = readLexemes(create);
  const at = lexemes.findIndex(({ keyword }) => keyword === 'SCHEDULE') + 1;
  if (at === 0 || lexemes[at]?.keyword !== 'AT') return create;
  // SHOW CREATE has the status before COMMENT and DO.
  const status = lexemes.find(({ keyword }) => ['ENABLE', 'DISABLE', 'DO'].includes(keyword));
  if (status?.keyword !== 'ENABLE') return create;
  return `${create.slice(0, status.start)}DISABLE${create.slice(status.start + 'ENABLE'.length)}`;
}
