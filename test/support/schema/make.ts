import type { Db } from '../../../src/database/connect.ts';
import { quoteNameText } from '../../../src/database/identifier.ts';
import type { TestServer } from '../server.ts';

/** Makes a database from statements; `{schema}` in them stands for its name. Closes its connection. */
export async function makeSchema(
  server: TestServer,
  statements: readonly string[],
  name?: string,
): Promise<string> {
  const schema = await server.createDatabase(name);
  const db = await server.connect(schema);
  await runAll(db, schema, statements);
  await db.close();
  return schema;
}

/** Runs statements one by one; `{schema}` in them stands for the quoted name of the schema. */
export async function runAll(db: Db, schema: string, statements: readonly string[]): Promise<void> {
  for (const statement of statements)
    await db.run(statement.replaceAll('{schema}', quoteNameText(schema)));
}
