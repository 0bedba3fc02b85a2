import { literal } from '../database/literal.ts';

/** A view, routine, trigger or event as SHOW CREATE gives it. */
export type ObjectScript = {
  readonly create: string;
  /** Null for views, which store none. */
  readonly sqlMode: string | null;
  readonly client: string;
  readonly connection: string;
  /** Default collation of the database when the object was made; null for views. */
  readonly databaseCollation: string | null;
  /** Of events only. */
  readonly timeZone: string | null;
  /** Of events only: seconds since 1970, as text. */
  readonly createdAt: string | null;
};

/**
 * The statements that make the object again with everything that the server stores beside its
 * text: sql_mode, character sets, and of an event its time zone and time of creation.
 * `collation` is the database's default; an object that was made under another one needs that for
 * a moment, and the caller makes sure of the default at the end. Pure.
 */
export function objectStatements(script: ObjectScript, collation: string): string[] {
  const statements = plainStatements(script);
  const { databaseCollation } = script;
  if (databaseCollation === null || databaseCollation === collation) return statements;
  const alter = (to: string) => `ALTER DATABASE COLLATE ${to}`;
  return [alter(databaseCollation), ...statements, alter(collation)];
}

function plainStatements(script: ObjectScript): string[] {
  const { create, client, connection, sqlMode, timeZone, createdAt } = script;
  const session = [
    `sql_mode=${literal(sqlMode ?? '')}`,
    `time_zone=${literal(timeZone ?? '+00:00')}`,
  ];
  // An event AT a time in the past is dropped while it is made, unless it is made before that time.
  session.push(createdAt === null ? 'timestamp=DEFAULT' : `timestamp=${createdAt}`);
  const before = ['SET NAMES utf8mb4', `SET SESSION ${session.join(', ')}`];
  const charset = `SET SESSION character_set_client=${client}, collation_connection=${connection}`;
  const isUtf8 = /^utf8(mb[34])?$/.test(client);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is the same in every client character set.
  if (isUtf8 || /^[\x00-\x7f]*$/.test(create)) return [...before, charset, create];
  // The text is UTF-8 here, and the server would read it in the object's character set: by the
  // way of a variable it converts it.
  return [...before, `${SET_TEXT}${literal(create)}`, charset, 'EXECUTE IMMEDIATE @deploy_text'];
}

const SET_TEXT = 'SET @deploy_text=';

/** The statements of `objectStatements` with another CREATE. Pure. */
export function changeCreate(
  statements: readonly string[],
  change: (create: string) => string,
): string[] {
  return statements.map((statement) => {
    if (statement.startsWith('CREATE ')) return change(statement);
    if (!statement.startsWith(SET_TEXT)) return statement;
    return SET_TEXT + literal(change(readLiteral(statement.slice(SET_TEXT.length))));
  });
}

/** The text of which `literal` made this. */
function readLiteral(text: string): string {
  const hex = /^_utf8mb4 X'(?<digits>[0-9a-f]*)'$/i.exec(text)?.groups?.['digits'];
  if (hex !== undefined) return Buffer.from(hex, 'hex').toString('utf8');
  return text.slice(1, -1).replaceAll("''", "'");
}
