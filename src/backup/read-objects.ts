import sql from 'sql-template-tag';
import type { Db, Row } from '../database/connect.ts';
import { isDeployTable, quoteNameText } from '../database/identifier.ts';
import { DeployError } from '../errors/deploy-error.ts';
import type { ObjectKey } from '../schema/model.ts';
import { readLexemes } from '../statements/lexemes.ts';
import { type ObjectScript, objectStatements } from './object-statements.ts';
import type { Section } from './section-file.ts';

/** Collation of the database, by which an object that was made under another one is told. */
type Defaults = { readonly collation: string };

/**
 * Reads what is no table as the statements that make it again: packages and routines first,
 * because views and triggers call them, then views, triggers in the order in which they fire, and
 * events last. `db` must have the schema as default database. `heldEvents` are those that this run
 * keeps from firing: they are enabled in what is read, as they were before it.
 *
 * @throws DeployError `RIGHT_MISSING` when the server hides a body from the account.
 */
export async function readObjectSections(
  db: Db,
  schema: string,
  defaults: Defaults,
  heldEvents: readonly string[],
): Promise<Section[]> {
  return [
    ...(await readRoutines(db, schema, defaults)),
    ...(await readViews(db, schema, defaults)),
    ...(await readTriggers(db, schema, defaults)),
    ...(await readEvents(db, schema, defaults, heldEvents)),
  ];
}

/** The triggers of `schema`, each after those of its table that fire before it. */
export async function readTriggers(db: Db, schema: string, defaults: Defaults): Promise<Section[]> {
  const rows = await db.query<{ name: string; tableName: string }>(
    sql`SELECT trigger_name AS name, event_object_table AS tableName
        FROM information_schema.triggers WHERE trigger_schema = ${schema}
        ORDER BY event_object_table, event_manipulation, action_timing, action_order`,
  );
  const own = rows.filter(({ tableName }) => !isDeployTable(tableName));
  return readEach(db, 'TRIGGER', own, defaults);
}

/** The events of `schema`; those that are held are read as enabled. */
export async function readEvents(
  db: Db,
  schema: string,
  defaults: Defaults,
  heldEvents: readonly string[] = [],
): Promise<Section[]> {
  const rows = await db.query<{ name: string; createdAt: string }>(
    sql`SELECT event_name AS name, CAST(UNIX_TIMESTAMP(created) AS CHAR) AS createdAt
        FROM information_schema.events WHERE event_schema = ${schema} ORDER BY event_name`,
  );
  const named = rows.map((row) => ({ ...row, isHeld: heldEvents.includes(row.name) }));
  return readEach(db, 'EVENT', named, defaults);
}

/** CREATE EVENT as SHOW CREATE has it, of an event that is held: enabled instead. Pure. */
export function enabledEvent(statement: string): string {
  const { lexemes } = readLexemes(statement);
  const at = lexemes.findIndex((_, index) =>
    ['DISABLE', 'ON', 'SLAVE'].every((word, nth) => lexemes[index + nth]?.keyword === word),
  );
  const [first, last] = [lexemes[at], lexemes[at + 2]];
  if (first === undefined || last === undefined) return statement;
  return `${statement.slice(0, first.start)}ENABLE${statement.slice(last.start + 'SLAVE'.length)}`;
}

/** All accounts and roles that objects of `schema` run as, e.g. `app@%`. */
export async function readDefiners(db: Db, schema: string): Promise<string[]> {
  const rows = await db.query<{ definer: string }>(
    sql`SELECT definer AS definer FROM information_schema.routines WHERE routine_schema = ${schema}
        UNION SELECT definer FROM information_schema.views WHERE table_schema = ${schema}
        UNION SELECT definer FROM information_schema.triggers WHERE trigger_schema = ${schema}
        UNION SELECT definer FROM information_schema.events WHERE event_schema = ${schema}`,
  );
  return rows.map(({ definer }) => definer).sort();
}

/** Accounts and roles that the routines of `schema` run as. */
export async function readRoutineDefiners(db: Db, schema: string): Promise<string[]> {
  const rows = await db.query<{ definer: string }>(
    sql`SELECT DISTINCT definer AS definer FROM information_schema.routines
        WHERE routine_schema = ${schema}`,
  );
  return rows.map(({ definer }) => definer);
}

type Named = {
  readonly name: string;
  readonly createdAt?: string;
  /** An event that this run keeps from firing. */
  readonly isHeld?: boolean;
};

/** Where SHOW CREATE has the statement, by kind. */
const CREATE_COLUMN = {
  PACKAGE: 'Create Package',
  'PACKAGE BODY': 'Create Package Body',
  FUNCTION: 'Create Function',
  PROCEDURE: 'Create Procedure',
  VIEW: 'Create View',
  TRIGGER: 'SQL Original Statement',
  EVENT: 'Create Event',
} as const;

type ShowKind = keyof typeof CREATE_COLUMN;

async function readRoutines(db: Db, schema: string, defaults: Defaults): Promise<Section[]> {
  const rows = await db.query<{ name: string; type: ShowKind }>(
    sql`SELECT routine_name AS name, routine_type AS type
        FROM information_schema.routines WHERE routine_schema = ${schema} ORDER BY routine_name`,
  );
  const sections: Section[] = [];
  // A package body needs its package; functions and procedures are not resolved before they run.
  for (const kind of ['PACKAGE', 'PACKAGE BODY', 'FUNCTION', 'PROCEDURE'] as const) {
    const named = rows.filter(({ type }) => type === kind);
    sections.push(...(await readEach(db, kind, named, defaults)));
  }
  return sections;
}

/**
 * A view may use views of any name, so each is first made as a placeholder with its columns, as
 * `mariadb-dump` does, and then replaced. An invalid view has no columns: its text is kept.
 */
async function readViews(db: Db, schema: string, defaults: Defaults): Promise<Section[]> {
  const rows = await db.query<{ name: string; columnName: string | null }>(
    sql`SELECT t.table_name AS name, c.column_name AS columnName
        FROM information_schema.tables t LEFT JOIN information_schema.columns c
          ON c.table_schema = t.table_schema AND c.table_name = t.table_name
        WHERE t.table_schema = ${schema} AND t.table_type = 'VIEW'
        ORDER BY t.table_name, c.ordinal_position`,
  );
  const columns = [...Map.groupBy(rows, (row) => row.name)];
  const isInvalid = (own: readonly { readonly columnName: string | null }[]) =>
    own.every(({ columnName }) => columnName === null);
  const valid = columns.filter(([, own]) => !isInvalid(own));
  const placeholders = valid.map(([name, own]): Section => {
    const list = own.map(({ columnName }) => `1 AS ${quoteNameText(columnName!)}`);
    const create = `CREATE OR REPLACE VIEW ${quoteNameText(name)} AS SELECT ${list.join(', ')}`;
    return { key: `${PLACEHOLDER}${name}`, statements: [create] };
  });
  const views = await readEach(
    db,
    'VIEW',
    valid.map(([name]) => ({ name })),
    defaults,
  );
  const named = columns.filter(([, own]) => isInvalid(own)).map(([name]) => ({ name }));
  const invalid = await readEach(db, 'VIEW', named, defaults);
  return [
    ...placeholders,
    ...views,
    ...invalid.map(({ key, statements }) => ({ key: `invalid ${key}`, statements })),
  ];
}

/** Begins the key of a section that makes a view's placeholder. */
export const PLACEHOLDER = 'placeholder:';

/**
 * Begins the key of a section that makes a view which the server could not use when it was read: a
 * table, a column or its definer is gone. Making it may fail, and then it is missing.
 */
export const INVALID_VIEW = 'invalid view:';

async function readEach(
  db: Db,
  kind: ShowKind,
  named: readonly Named[],
  defaults: Defaults,
): Promise<Section[]> {
  const sections: Section[] = [];
  for (const { name, createdAt, isHeld = false } of named) {
    const row = (await db.one(`SHOW CREATE ${kind} ${quoteNameText(name)}`)) ?? {};
    const shown = row[CREATE_COLUMN[kind]];
    if (typeof shown !== 'string') throw hiddenBody(kind, name);
    const create = isHeld ? enabledEvent(shown) : shown;
    const script: ObjectScript = {
      create: kind === 'VIEW' ? create.replace(/^CREATE /, 'CREATE OR REPLACE ') : create,
      sqlMode: text(row, 'sql_mode'),
      client: text(row, 'character_set_client') ?? 'utf8mb4',
      connection: text(row, 'collation_connection') ?? 'utf8mb4_general_ci',
      databaseCollation: text(row, 'Database Collation'),
      timeZone: text(row, 'time_zone'),
      createdAt: createdAt ?? null,
    };
    const key: ObjectKey = `${kind.toLowerCase() as Lowercase<ShowKind>}:${name}`;
    sections.push({ key, statements: objectStatements(script, defaults.collation) });
  }
  return sections;
}

function text(row: Row, column: string): string | null {
  const value = row[column];
  return typeof value === 'string' ? value : null;
}

function hiddenBody(kind: ShowKind, name: string): DeployError {
  const what = `the account may not see the text of the ${kind.toLowerCase()} ${name}`;
  return new DeployError('RIGHT_MISSING', what, {
    facts: { kind, name },
    next: ['let an administrator grant SELECT ON mysql.proc to the account'],
  });
}
