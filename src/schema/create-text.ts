/** CREATE statements for code of the model, to be run in the schema that gets it. Pure. */
import { quoteNameText } from '../database/identifier.ts';
import type { StoredObject } from './model.ts';
import { shownSelect } from './show-create.ts';

/**
 * The statement for a routine, package, trigger or event. Triggers and events are put together
 * from their parts: the server keeps the text as it was typed, with schema and order in it.
 * `shown` is SHOW CREATE of a routine, where the server writes the head itself.
 */
export function createCodeText(object: StoredObject, shown: string): string {
  if (object.kind === 'trigger') return createTriggerText(object);
  return object.kind === 'event' ? createEventText(object) : shown;
}

function createTriggerText({ name, definition, attributes }: StoredObject): string {
  const { definer = '', timing, event, table = '' } = attributes;
  return `CREATE ${definerClause(definer)} TRIGGER ${quoteNameText(name)} ${timing} ${event}
    ON ${quoteNameText(table)} FOR EACH ROW ${definition}`;
}

/** An enabled event is created disabled: a copy must not act. */
function createEventText({ name, definition, attributes }: StoredObject): string {
  const { definer = '', schedule, onCompletion, comment = '', sqlMode = '' } = attributes;
  const note = comment === '' ? '' : `COMMENT ${quoted(comment, sqlMode)}`;
  return `CREATE ${definerClause(definer)} EVENT ${quoteNameText(name)} ON SCHEDULE ${schedule}
    ON COMPLETION ${onCompletion} DISABLE ${note} DO ${definition}`;
}

/**
 * The statement for a view. SHOW CREATE VIEW keeps the character sets of literals, which
 * information_schema does not; but their bytes are lost when they are not UTF-8.
 */
export function createViewText(view: StoredObject, shown: string): string {
  const { algorithm, definer = '', security, checkOption } = view.attributes;
  const select = shown.includes('\u{fffd}') ? null : shownSelect(shown);
  const option = checkOption === 'NONE' ? '' : ` WITH ${checkOption} CHECK OPTION`;
  return `CREATE ALGORITHM=${algorithm} ${definerClause(definer)} SQL SECURITY ${security}
    VIEW ${quoteNameText(view.name)} AS ${select ?? view.definition}${option}`;
}

/** The statement for a sequence, which begins at its start. */
export function sequenceText({ name, definition, attributes }: StoredObject): string {
  const comment = attributes['comment'] ? ` COMMENT='${escaped(attributes['comment'])}'` : '';
  return `CREATE SEQUENCE ${quoteNameText(name)} ${definition}${comment}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll("'", "''");
}

/** `a@b@%` is the user `a@b` at any host; without a host it is a role. */
export function definerClause(definer: string): string {
  const at = definer.lastIndexOf('@');
  if (at < 0) return `DEFINER=${quoteNameText(definer)}`;
  const host = definer.slice(at + 1) || '%';
  // An account without a name cannot be quoted as a name.
  if (at === 0) return `DEFINER=''@${quoteNameText(host)}`;
  return `DEFINER=${quoteNameText(definer.slice(0, at))}@${quoteNameText(host)}`;
}

/** A string literal under the sql_mode of the object. */
function quoted(text: string, sqlMode: string): string {
  const plain = sqlMode.includes('NO_BACKSLASH_ESCAPES') ? text : text.replaceAll('\\', '\\\\');
  return `'${plain.replaceAll("'", "''")}'`;
}
