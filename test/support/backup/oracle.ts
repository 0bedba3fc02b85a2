/**
 * What a database is in the server's own words, read without any of this program's reading or
 * hashing: so that a fault in those cannot hide what a restore lost.
 */
import type { Db, Row } from '../../../src/database/connect.ts';

/** `table a` → SHOW CREATE, `checksum a` → CHECKSUM TABLE EXTENDED, and so on. */
export type Oracle = Readonly<Record<string, string>>;

const name = (text: string) => `\`${text.replaceAll('`', '``')}\``;

/** Reads the default database of `db` but `without`; tables of this program are left out, and times of creation. */
export async function askServer(db: Db, without: readonly string[] = []): Promise<Oracle> {
  const found: Record<string, string> = {};
  // In other modes SHOW CREATE leaves out options of tables.
  await db.run("SET SESSION sql_mode = ''");
  const note = (key: string, row: Row | undefined) => {
    const { Created: _, ...rest } = row ?? {};
    found[key] = JSON.stringify(rest);
  };
  note(
    'database',
    await db.one(`SELECT default_character_set_name AS charset,
    default_collation_name AS collation, schema_comment AS comment
    FROM information_schema.schemata WHERE schema_name = DATABASE()`),
  );
  const tables = await db.query<{ name: string; type: string }>(
    `SELECT table_name AS name, table_type AS type FROM information_schema.tables
     WHERE table_schema = DATABASE() AND table_name NOT LIKE 'deploy\\_%'`,
  );
  for (const { name: table, type } of tables) {
    if (without.includes(table)) continue;
    const kind = type === 'VIEW' || type === 'SEQUENCE' ? type : 'TABLE';
    const shown = (await db.one(`SHOW CREATE ${kind} ${name(table)}`)) ?? {};
    note(`${kind} ${table}`, kind === 'TABLE' ? withSortedKeys(shown) : shown);
    if (kind === 'SEQUENCE') note(`next of ${table}`, await db.one(`SELECT * FROM ${name(table)}`));
    if (kind !== 'TABLE') continue;
    const sum = await db.one<{ Checksum: string }>(`CHECKSUM TABLE ${name(table)} EXTENDED`);
    found[`checksum of ${table}`] = String(sum!.Checksum);
    note(`rows of ${table}`, await db.one(`SELECT COUNT(*) AS n FROM ${name(table)}`));
  }
  const lists = [
    ['TRIGGER', 'trigger', 'triggers'],
    ['EVENT', 'event', 'events'],
  ] as const;
  for (const [kind, prefix, view] of lists) {
    const rows = await db.query<{ name: string }>(
      `SELECT ${prefix}_name AS name FROM information_schema.${view} WHERE ${prefix}_schema = DATABASE()`,
    );
    for (const { name: each } of rows)
      note(`${kind} ${each}`, await db.one(`SHOW CREATE ${kind} ${name(each)}`));
  }
  note('order of triggers', {
    list: await db.query(`SELECT event_object_table, event_manipulation, action_timing, trigger_name
      FROM information_schema.triggers WHERE trigger_schema = DATABASE() ORDER BY 1, 2, 3, action_order`),
  });
  const routines = await db.query<{ name: string; kind: string }>(
    `SELECT routine_name AS name, routine_type AS kind FROM information_schema.routines
     WHERE routine_schema = DATABASE()`,
  );
  for (const { name: each, kind } of routines)
    note(`${kind} ${each}`, await db.one(`SHOW CREATE ${kind} ${name(each)}`));
  return found;
}

/** The order in which a table lists its keys says nothing: those that are added later come last. */
function withSortedKeys(row: Row): Row {
  const lines = String(row['Create Table']).split('\n');
  const isKey = (line: string) => /^ {2}(?:UNIQUE |FULLTEXT |SPATIAL |VECTOR )?KEY /.test(line);
  const keys = lines.filter(isKey).map((line) => line.replace(/,$/, ''));
  return {
    ...row,
    'Create Table': lines.filter((line) => !isKey(line)).map((line) => line.replace(/,$/, '')),
    keys: keys.sort(),
  };
}
