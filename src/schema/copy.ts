/** Makes an empty structural copy of a schema, on the same or on another server. */
import sql, { raw } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { qualified, quoteName } from '../database/identifier.ts';
import { isConnectionLost, serverText } from '../database/server-errors.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { runAs, withCopySession } from './copy-session.ts';
import { createCodeText, createViewText, sequenceText } from './create-text.ts';
import type { SchemaModel, SchemaObject, StoredObject, Table } from './model.ts';
import { withoutOwnSchema } from './normalise.ts';
import { readSchema } from './read.ts';
import { readShownCode } from './read-code.ts';
import { withReadingSession } from './reading-session.ts';
import { withoutDirectories } from './show-create.ts';

/** What could not be copied as it is: invalid views, members of an ENUM that the server cannot show. */
export type CopyReport = { readonly warnings: readonly string[] };

/**
 * Creates the schema `targetSchema` with everything that `sourceSchema` has, but no rows: tables,
 * sequences (at their start), views, routines, triggers, and events, which are created disabled.
 * Definers need not exist. Without the tables of this program. The source is only read; both
 * sessions are left as they were, except that the target's current database may change.
 *
 * Throws QUERY_FAILED naming the object that could not be created; the target schema is then
 * left as it is. A view that the target refuses (it is invalid at the source, too) is a warning.
 *
 * A given `model` is that of the source, and may hold only a part of its objects: then only these
 * are copied.
 */
export async function copyStructure(
  source: Db,
  sourceSchema: string,
  target: Db,
  targetSchema: string,
  given?: SchemaModel,
): Promise<CopyReport> {
  const model = given ?? (await readSchema(source, sourceSchema));
  const texts = await readCreateTexts(source, sourceSchema, model);
  await createSchema(target, targetSchema, model);
  const warnings: string[] = [];
  await withCopySession(target, targetSchema, async () => {
    const of = (...kinds: SchemaObject['kind'][]) =>
      [...model.objects.values()].filter(({ kind }) => kinds.includes(kind));
    for (const object of of('sequence'))
      await create(target, object, sequenceText(object as StoredObject));
    for (const table of of('table') as Table[]) {
      await create(target, table, texts.get(table) ?? '');
      await setExactDefaults(target, table);
      warnings.push(...lossyMembers(table));
    }
    const code = { target, targetSchema, model, texts };
    await createCode(code, of('package') as StoredObject[]);
    await createCode(code, of('package body', 'function', 'procedure') as StoredObject[]);
    warnings.push(...(await createViews(code, of('view') as StoredObject[])));
    await createCode(code, (of('trigger') as StoredObject[]).sort(byActionOrder));
    await createCode(code, of('event') as StoredObject[]);
  });
  return { warnings };
}

/** Creates an empty schema with the defaults of a model. */
export async function createSchema(
  db: Db,
  name: string,
  defaults: Pick<SchemaModel, 'charset' | 'collation' | 'comment'>,
): Promise<void> {
  await db.run(sql`CREATE DATABASE ${quoteName(name)} CHARACTER SET ${raw(word(defaults.charset))}
    COLLATE ${raw(word(defaults.collation))}`);
  if (defaults.comment)
    await db.run(sql`ALTER DATABASE ${quoteName(name)} COMMENT ${defaults.comment}`);
}

/** Names of character sets and collations come from the server and stand bare in SQL. */
function word(name: string): string {
  if (!/^\w+$/.test(name)) throw new TypeError('this is no name of a character set or collation');
  return name;
}

/** The statements that only the server can write: of tables, routines and views. Only reads. */
export async function readCreateTexts(
  source: Db,
  schema: string,
  model: SchemaModel,
): Promise<ReadonlyMap<SchemaObject, string>> {
  const texts = new Map<SchemaObject, string>();
  await withReadingSession(source, async () => {
    for (const object of model.objects.values()) {
      if (object.kind === 'table') texts.set(object, await readTableText(source, schema, object));
      else if (!['sequence', 'trigger', 'event'].includes(object.kind))
        texts.set(object, withoutOwnSchema(await readShownCode(source, schema, object), schema));
    }
  });
  return texts;
}

async function readTableText(source: Db, schema: string, table: Table): Promise<string> {
  const shown = await source.one<{ 'Create Table': string }>(
    sql`SHOW CREATE TABLE ${qualified(schema, table.name)}`,
  );
  // DEFAULT NEXTVAL names the schema of its sequence; unqualified it is that of the new table.
  const text = withoutOwnSchema(shown?.['Create Table'] ?? '', schema);
  const end = text.indexOf('\n)');
  return text.slice(0, end) + withoutDirectories(text.slice(end));
}

/** A literal with bytes that SHOW CREATE may not show. */
const SHOWN_WITH_LOSS = /^(?:_\w+ )?x'(?:..)*[89a-f]/;

/** Defaults whose bytes SHOW CREATE cannot show. */
async function setExactDefaults(target: Db, table: Table): Promise<void> {
  const exact = table.columns.filter(({ default: text }) => SHOWN_WITH_LOSS.test(text ?? ''));
  for (const column of exact.filter(({ type }) => !/^(?:enum|set)\(/i.test(type)))
    await target.run(sql`ALTER TABLE ${quoteName(table.name)}
      ALTER COLUMN ${quoteName(column.name)} SET DEFAULT ${raw(column.default ?? '')}`);
}

/** MariaDB: members beyond the basic plane are `?` in every text that the server gives. */
function lossyMembers(table: Table): string[] {
  return table.columns
    .filter(({ type }) => /^(?:enum|set)\(.*\?/is.test(type))
    .map(
      ({ name }) =>
        `table ${table.name}: members of ${name} that have a ? may be another character`,
    );
}

type CodeTarget = {
  readonly target: Db;
  readonly targetSchema: string;
  readonly model: SchemaModel;
  readonly texts: ReadonlyMap<SchemaObject, string>;
};

async function createCode(to: CodeTarget, objects: readonly StoredObject[]): Promise<void> {
  for (const object of objects) {
    const text = createCodeText(object, to.texts.get(object) ?? '');
    await explained(object, () =>
      runAs(to.target, object, text, to.targetSchema, to.model.collation),
    );
  }
}

/** Views need one another: those that fail are tried again as long as another one succeeded. */
async function createViews(to: CodeTarget, views: readonly StoredObject[]): Promise<string[]> {
  let pending = views;
  for (;;) {
    const refused: { view: StoredObject; error: unknown }[] = [];
    for (const view of pending) {
      const text = createViewText(view, to.texts.get(view) ?? '');
      try {
        await runAs(to.target, view, text, to.targetSchema, to.model.collation);
      } catch (error) {
        if (isConnectionLost(error)) throw error;
        refused.push({ view, error });
      }
    }
    if (refused.length === 0 || refused.length === pending.length)
      return refused.map(
        ({ view, error }) => `view ${view.name} is not valid: ${serverText(error)}`,
      );
    pending = refused.map(({ view }) => view);
  }
}

function create(target: Db, object: SchemaObject, text: string): Promise<void> {
  return explained(object, async () => {
    await target.run(text);
  });
}

async function explained(object: SchemaObject, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    if (isConnectionLost(cause)) throw cause;
    const title = `${object.kind} ${object.name}`;
    throw new DeployError('QUERY_FAILED', `the ${title} could not be copied`, {
      where: title,
      cause,
    });
  }
}

function byActionOrder(a: StoredObject, b: StoredObject): number {
  return Number(a.attributes['order']) - Number(b.attributes['order']);
}
