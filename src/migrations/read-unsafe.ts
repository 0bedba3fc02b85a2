/** What of the connection's database is not undone when a transaction is rolled back. Reads only. */
import type { Db } from '../database/connect.ts';
import { type CodeText, makeCode } from '../statements/non-transactional.ts';

export type Unsafe = {
  /** Tables whose rows stay changed. */
  readonly tables: readonly string[];
  /** Code that may write to them, or that takes values of sequences. */
  readonly code: readonly CodeText[];
};

/** Looks at every engine, and at the code only where some of it matters. */
export async function readUnsafe(db: Db): Promise<Unsafe> {
  const rows = await db.query<{ name: string; type: string }>(
    `SELECT table_name AS name, table_type AS type FROM information_schema.tables
     WHERE table_schema = DATABASE() AND (table_type = 'SEQUENCE'
       OR table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND engine <> 'InnoDB')`,
  );
  const tables = rows.filter(({ type }) => type !== 'SEQUENCE').map(({ name }) => name);
  return { tables, code: rows.length === 0 ? [] : await readCode(db) };
}

async function readCode(db: Db): Promise<CodeText[]> {
  type CodeRow = { name: string; of: string | null; text: string | null; kind: CodeText['kind'] };
  const rows = await db.query<CodeRow>(
    `SELECT trigger_name AS name, event_object_table AS of, action_statement AS text, 'program' AS kind
       FROM information_schema.triggers WHERE trigger_schema = DATABASE()
     UNION ALL SELECT routine_name, NULL, routine_definition, 'program'
       FROM information_schema.routines WHERE routine_schema = DATABASE()
     UNION ALL SELECT table_name, NULL, view_definition, 'query'
       FROM information_schema.views WHERE table_schema = DATABASE()
     UNION ALL SELECT table_name, NULL, column_default, 'default'
       FROM information_schema.columns WHERE table_schema = DATABASE() AND column_default LIKE '%nextval%'`,
  );
  return rows.map(({ name, of, text, kind }) =>
    makeCode(of === null ? [name] : [name, of], text ?? '', kind),
  );
}
