import { type Db, PINNED_SQL_MODE } from '../database/connect.ts';
import { quoteNameText } from '../database/identifier.ts';
import { untilFree, waitBriefly } from '../database/until-free.ts';
import { failPoint } from '../errors/fail-point.ts';
import { fingerprintSchema } from '../schema/fingerprint.ts';
import type { ObjectKey } from '../schema/model.ts';
import { readSchema } from '../schema/read.ts';
import { makeObjects, readSections } from './load.ts';
import { changeCreate } from './object-statements.ts';
import { putEvent } from './put-events.ts';
import { INVALID_VIEW, PLACEHOLDER } from './read-objects.ts';
import { schemaAttributes } from './read-tables.ts';
import { type RestoreContext, withWorker } from './restore-context.ts';
import type { Section } from './section-file.ts';

type Fingerprints = ReadonlyMap<ObjectKey, string>;

/**
 * Gives the live schema the set's defaults, routines, views and triggers, and nothing else of
 * these kinds. What is equal stays; triggers are all made again, because their order counts.
 * No events. Idempotent.
 */
export async function putObjects(context: RestoreContext): Promise<void> {
  await putKinds(context, ['package', 'package body', 'function', 'procedure', 'view', 'trigger']);
  await failPoint('restore.objects-created');
}

/**
 * Gives the live schema the set's events, each with its own status, and no others. Idempotent.
 *
 * @returns the names of those that are left disabled because their only time is over
 */
export async function putEvents(context: RestoreContext): Promise<string[]> {
  const missed = await putKinds(context, ['event']);
  await failPoint('restore.events-created');
  return missed;
}

async function putKinds(context: RestoreContext, kinds: readonly string[]): Promise<string[]> {
  const { hold, database, set, log, swapWaitMs } = context;
  const wanted = new Map(set.manifest.objects.map(({ key, fingerprint }) => [key, fingerprint]));
  const sections = await readSections(set, 'objects');
  return withWorker(context, database, async (db) => {
    const missed: string[] = [];
    const patience = { waitMs: swapWaitMs, log, db, database };
    const live = fingerprintSchema(await readSchema(db, database));
    const plan = planObjects(wanted, live, sections, kinds);
    const defaults = `ALTER DATABASE ${quoteNameText(database)} ${schemaAttributes(set.manifest)}`;
    await hold.assertHeld();
    // Also after a death in the middle: an object of another default changes that for a moment.
    if (live.get('database:') !== wanted.get('database:')) await db.run(defaults);
    await waitBriefly(db);
    for (const key of plan.drop) await untilFree(patience, () => dropObject(db, key));
    for (const section of plan.make) {
      if (section.key?.startsWith('event:') === true) {
        const put = () => putEvent({ db, database, log }, section);
        if (await untilFree(patience, put)) missed.push(section.key.slice('event:'.length));
        continue;
      }
      const made = isRoutine(section.key) ? replacing(section) : section;
      const failed = await untilFree(patience, () => makeObjects(db, [made], 'PUT_BACK_FAILED'));
      for (const name of failed) {
        log.warn({ view: name }, `the view ${name} was invalid in the backup and cannot be made`);
      }
    }
    return missed;
  });
}

/** What is dropped and what is made, of the given kinds; routines that are made are not dropped before. Pure. */
export function planObjects(
  wanted: Fingerprints,
  live: Fingerprints,
  sections: readonly Section[],
  kinds: readonly string[],
): { readonly drop: readonly ObjectKey[]; readonly make: readonly Section[] } {
  const isOfKinds = (key: string) => kinds.includes(kindOf(key));
  const isEqual = (key: ObjectKey): boolean =>
    kindOf(key) !== 'trigger' && live.has(key) && live.get(key) === wanted.get(key);
  const stays = (key: ObjectKey): boolean =>
    isEqual(key) && isEqual(partnerOf(key, wanted, live) ?? key);
  const replaced = new Set(sections.flatMap(({ key }) => (isRoutine(key) ? [key] : [])));
  const drop = [...live.keys()].filter(
    (key) => isOfKinds(key) && !stays(key) && !replaced.has(key),
  );
  const make = sections.filter(({ key }) => {
    if (key === null) return false;
    const own = key.replace(PREFIXES, 'view:');
    return isOfKinds(own) && !stays(own as ObjectKey);
  });
  return { drop: drop.sort(byDropOrder), make };
}

/**
 * DROP of a routine takes the rights on it away that accounts have (EXECUTE), and no backup has
 * them: it is replaced. Rights on tables and views stay with the name, whatever becomes of that.
 */
function isRoutine(key: string | null): boolean {
  return key !== null && ['package', 'package body', 'function', 'procedure'].includes(kindOf(key));
}

function replacing(section: Section): Section {
  const change = (create: string) => create.replace(/^CREATE /, 'CREATE OR REPLACE ');
  return { ...section, statements: changeCreate(section.statements, change) };
}

/** What a section's key begins with that makes a view in part, or may fail to. */
const PREFIXES = new RegExp(`^(?:${PLACEHOLDER}|${INVALID_VIEW})`);

/** A package and its body go and come together: dropping the one drops the other. */
function partnerOf(key: ObjectKey, wanted: Fingerprints, live: Fingerprints): ObjectKey | null {
  const name = key.slice(key.indexOf(':') + 1);
  const kind = kindOf(key);
  if (kind !== 'package' && kind !== 'package body') return null;
  const partner: ObjectKey = kind === 'package' ? `package body:${name}` : `package:${name}`;
  return wanted.has(partner) || live.has(partner) ? partner : null;
}

/** What uses goes before what is used, though the server would not mind. */
function byDropOrder(a: ObjectKey, b: ObjectKey): number {
  const order = ['event', 'trigger', 'view', 'procedure', 'function', 'package body', 'package'];
  return order.indexOf(kindOf(a)) - order.indexOf(kindOf(b));
}

function kindOf(key: string): string {
  return key.slice(0, key.indexOf(':'));
}

/** DATA LOSS: an object without rows, which the set has not or has otherwise. */
async function dropObject(db: Db, key: ObjectKey): Promise<void> {
  const kind = kindOf(key);
  const name = quoteNameText(key.slice(key.indexOf(':') + 1));
  // MariaDB: 10.11 knows DROP PACKAGE only in this mode.
  const isPackage = kind === 'package' || kind === 'package body';
  if (isPackage) await db.run("SET SESSION sql_mode='ORACLE'");
  await db.run(`DROP ${kind.toUpperCase()} IF EXISTS ${name}`);
  if (isPackage) await db.run(`SET SESSION sql_mode='${PINNED_SQL_MODE}'`);
}
