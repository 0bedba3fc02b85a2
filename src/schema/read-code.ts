/** Reads views, routines, triggers and events. */
import sql, { raw, type Sql } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { qualified } from '../database/identifier.ts';
import {
  readEventRows,
  readParameterRows,
  readRoutineRows,
  readTriggerRows,
  readViewRows,
} from './code-rows.ts';
import { makeEvent, makeRoutine, makeTrigger, makeView } from './make-code.ts';
import type { StoredObject } from './model.ts';
import { withoutOwnSchema } from './normalise.ts';
import type { ReadingFacts } from './reading-session.ts';
import { shownParameters, shownSelect, trueBody } from './show-create.ts';
import type { Selection } from './table-rows.ts';

/**
 * Reads the code of a schema. With a selection of tables only the triggers of those tables and
 * the views of those names.
 */
export async function readCode(
  db: Db,
  selection: Selection,
  options: ReadingFacts & {
    readonly hasViews: boolean;
    readonly isWanted: (name: string) => boolean;
  },
): Promise<StoredObject[]> {
  const { schema } = selection;
  const views = options.hasViews ? await readViewRows(db, selection) : [];
  const triggers = await readTriggerRows(db, selection);
  const objects = [
    ...views.filter(({ name }) => options.isWanted(name)).map((row) => makeView(row, schema)),
    ...triggers.filter(({ tableName }) => options.isWanted(tableName)).map(makeTrigger),
  ];
  if (selection.tables === undefined) {
    const routines = await readRoutineRows(db, schema);
    const parameters = routines.length === 0 ? [] : await readParameterRows(db, schema);
    objects.push(...routines.map((row) => makeRoutine(row, parameters, schema)));
    objects.push(...(await readEventRows(db, schema)).map(makeEvent));
  }
  const exact: StoredObject[] = [];
  for (const object of objects) {
    const isLossy = object.definition.includes('?');
    const whole = isLossy ? await withTrueText(db, schema, object) : object;
    const mayHaveDefaults = options.parametersHaveDefaults && object.attributes['parameters'];
    exact.push(mayHaveDefaults ? await withParameterDefaults(db, schema, whole) : whole);
  }
  return exact;
}

/** A `?` may stand for a character beyond utf8mb3, which information_schema cannot show. */
async function withTrueText(db: Db, schema: string, object: StoredObject): Promise<StoredObject> {
  const shown = await readShownCode(db, schema, object);
  if (!/[\u{10000}-\u{10ffff}]/u.test(shown)) return object;
  if (object.kind !== 'view') return { ...object, definition: trueBody(shown, object.definition) };
  const select = shownSelect(shown);
  if (select === null) return object;
  return { ...object, definition: withoutOwnSchema(select, schema) };
}

/** MariaDB 11.8: information_schema.PARAMETERS does not tell the defaults of parameters. */
async function withParameterDefaults(
  db: Db,
  schema: string,
  object: StoredObject,
): Promise<StoredObject> {
  const list = shownParameters(await readShownCode(db, schema, object));
  if (!/\bDEFAULT\b|:=/i.test(list)) return object;
  return { ...object, attributes: { ...object.attributes, parameterDefaults: list } };
}

/** The text of SHOW CREATE for a piece of code; '' when the account may not see it. */
export async function readShownCode(
  db: Db,
  schema: string,
  object: Pick<StoredObject, 'kind' | 'name'>,
): Promise<string> {
  const row = await db.one<Record<string, string | null>>(showCreate(schema, object));
  const column = Object.keys(row ?? {}).find((name) =>
    /^(?:Create |SQL Original Statement)/.test(name),
  );
  return (column === undefined ? null : row?.[column]) ?? '';
}

function showCreate(schema: string, object: Pick<StoredObject, 'kind' | 'name'>): Sql {
  return sql`SHOW CREATE ${raw(object.kind.toUpperCase())} ${qualified(schema, object.name)}`;
}
