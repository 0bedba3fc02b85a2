/**
 * Views on tables of other schemas, made in a private server that has none of those. The server
 * keeps a view as text, and only looks whether its tables and columns are there: with stand-ins
 * that have the names and no rows it takes the text, which is then compared like any other.
 */
import type { Db } from '../database/connect.ts';
import { quoteNameText } from '../database/identifier.ts';
import { isMissingTable, isUnknownDatabase, serverText } from '../database/server-errors.ts';
import { readLexemes } from '../statements/lexemes.ts';
import { type LoadOptions, runSection } from './load.ts';
import { changeCreate } from './object-statements.ts';
import type { Section } from './section-file.ts';

export type StandIns = {
  /** As `runSection`, with stand-ins for what a valid view lacks in other schemas. */
  make(db: Db, section: Section, code: LoadOptions['code']): Promise<void>;
  /** DATA LOSS: drops the schemas that were made, which never held a row. */
  drop(db: Db): Promise<void>;
};

/** Stand-ins in a private server, into which the schema `database` is loaded. */
export function makeStandIns(database: string): StandIns {
  const schemas = new Set<string>();
  return {
    async make(db, section, code) {
      const view = section.key?.startsWith('view:') === true ? readView(section, database) : null;
      // Each failure names one table; a view names each of them once or more.
      for (let left = view?.tables.length ?? 0; ; left--) {
        try {
          return await runSection(db, section, code);
        } catch (error) {
          const isLacking = isMissingTable(error) || isUnknownDatabase(error);
          const table = isLacking && left > 0 ? findNamed(view!.tables, error) : undefined;
          if (table === undefined) throw error;
          await standIn(db, table, view!.columns, schemas);
        }
      }
    },
    async drop(db) {
      for (const schema of schemas) await db.run(`DROP DATABASE ${quoteNameText(schema)}`);
      schemas.clear();
    },
  };
}

type Table = { readonly schema: string; readonly name: string };

/** What may be tables of other schemas in a view's text, and the names of all columns in it. Pure. */
function readView(
  { statements }: Section,
  database: string,
): { readonly tables: readonly Table[]; readonly columns: readonly string[] } {
  let text = '';
  changeCreate(statements, (create) => {
    text = create;
    return create;
  });
  const { lexemes } = readLexemes(text);
  const tables: Table[] = [];
  const columns = new Map<string, string>();
  for (const [at, { kind, value }] of lexemes.entries()) {
    const after = lexemes[at + 2];
    if (kind !== 'name' || lexemes[at + 1]?.keyword !== '.' || after?.kind !== 'name') continue;
    columns.set(after.value.toLowerCase(), after.value);
    // Of `a`.`b`.`c` the first two; whether `a`.`b` is a table or a column only the server can say.
    if (lexemes[at - 1]?.keyword !== '.' && value !== database)
      tables.push({ schema: value, name: after.value });
  }
  return { tables, columns: [...columns.values()] };
}

/** Which of them the server's message names: only it can tell a table from a column. Pure. */
function findNamed(tables: readonly Table[], error: unknown): Table | undefined {
  const text = serverText(error);
  const quoted = (name: string) => text.includes(`'${name}'`);
  return tables.find(({ schema, name }) => quoted(`${schema}.${name}`) || quoted(schema));
}

async function standIn(
  db: Db,
  { schema, name }: Table,
  columns: readonly string[],
  schemas: Set<string>,
): Promise<void> {
  const made = await db.run(`CREATE DATABASE IF NOT EXISTS ${quoteNameText(schema)}`);
  if (made.affectedRows > 0) schemas.add(schema);
  const list = columns.map((column) => `${quoteNameText(column)} INT`).join(', ');
  await db.run(
    `CREATE TABLE IF NOT EXISTS ${quoteNameText(schema)}.${quoteNameText(name)} (${list})`,
  );
}
