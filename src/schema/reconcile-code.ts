/** Plans missing sequences, views, routines and triggers. Pure. */
import { quoteNameText } from '../database/identifier.ts';
import { createViewText, definerClause, sequenceText } from './create-text.ts';
import type { ObjectKey, StoredObject } from './model.ts';
import { type Draft, refuse } from './reconcile-draft.ts';
import { joinTriggers, triggerPlace } from './reconcile-triggers.ts';

/** Adds the missing objects of these kinds to the draft, those that others need first. */
export function planCode(draft: Draft, kinds: readonly StoredObject['kind'][]): void {
  const missing = kinds.flatMap((kind) =>
    [...draft.expected.objects].filter(
      (entry): entry is [ObjectKey, StoredObject] =>
        entry[1].kind === kind && !draft.complete.has(entry[0]),
    ),
  );
  for (const [key, object] of inOrder(missing)) planObject(draft, key, object);
}

function planObject(draft: Draft, key: ObjectKey, object: StoredObject): void {
  const why = needsReason(draft, object);
  const text = why === null ? createText(draft, key, object) : null;
  if (object.kind === 'trigger') joinTriggers(draft, object);
  else draft.complete.set(key, object);
  const what = `${object.kind} ${object.name}`;
  if (text !== null) {
    draft.additions.push({ key, what, sql: text, rowsDecide: false, code: object });
    return;
  }
  draft.incomplete.add(key);
  refuse(draft, key, what, why ?? textReason(object));
}

function textReason({ kind }: StoredObject): string {
  if (kind === 'event') return 'an event acts by itself; a migration must create it';
  return 'its text is not known';
}

/** What the object needs and is not there; null when nothing is. */
function needsReason(draft: Draft, object: StoredObject): string | null {
  const { table, databaseCollation = draft.collation } = object.attributes;
  if (databaseCollation !== draft.collation)
    return `it was written for a database with the collation ${databaseCollation}`;
  if (object.kind === 'trigger' && !draft.tables.has(`table:${table ?? ''}`))
    return `the table ${table} is missing`;
  if (object.kind !== 'view') return null;
  const needed = [...draft.incomplete].find((key) => mentions(object, nameOf(key)));
  return needed === undefined ? null : `the ${needed.replace(':', ' ')} is not there in full`;
}

function nameOf(key: ObjectKey): string {
  return key.slice(key.indexOf(':') + 1);
}

/** MariaDB keeps the text of a view with every name in backticks. */
function mentions(view: StoredObject, name: string): boolean {
  return view.definition.includes(quoteNameText(name));
}

/** Null when the model alone does not say how to create it. */
function createText(draft: Draft, key: ObjectKey, object: StoredObject): string | null {
  const shown = draft.definitionOf(key) ?? '';
  switch (object.kind) {
    case 'sequence':
      return sequenceText(object);
    case 'event':
      return null;
    case 'trigger':
      return triggerText(draft, object);
    case 'view':
      return withoutBuilder(draft, object, createViewText(object, shown));
    default:
      return shown === '' ? null : withoutBuilder(draft, object, shown);
  }
}

function triggerText(draft: Draft, object: StoredObject): string {
  const { timing, event, table = '', definer = '' } = object.attributes;
  const place = triggerPlace(draft, object);
  const own = definer === draft.builtBy ? '' : `${definerClause(definer)} `;
  return `CREATE ${own}TRIGGER ${quoteNameText(object.name)} ${timing} ${event}
    ON ${quoteNameText(table)} FOR EACH ROW ${place}${object.definition}`;
}

/** Takes the definer out of a CREATE statement when it is the account that built the model. */
function withoutBuilder(draft: Draft, { attributes }: StoredObject, text: string): string {
  return attributes['definer'] === draft.builtBy ? text.replace(DEFINER, '$1') : text;
}

// In backticks, or under ANSI_QUOTES in double quotes.
const DEFINER =
  /^(CREATE (?:OR REPLACE )?(?:ALGORITHM=\w+ )?)DEFINER=(?:`(?:[^`]|``)*`|"(?:[^"]|"")*"|'(?:[^']|'')*')(?:@(?:`(?:[^`]|``)*`|"(?:[^"]|"")*"))? /;

/** Views after the views that they read from, everything else as it is. */
function inOrder(objects: readonly [ObjectKey, StoredObject][]): [ObjectKey, StoredObject][] {
  const sorted = new Map<ObjectKey, StoredObject>();
  const visiting = new Set<ObjectKey>();
  const visit = ([key, object]: [ObjectKey, StoredObject]) => {
    if (visiting.has(key)) return;
    visiting.add(key);
    if (object.kind === 'view')
      for (const other of objects) if (mentions(object, other[1].name)) visit(other);
    sorted.set(key, object);
  };
  for (const entry of objects) visit(entry);
  return [...sorted];
}
