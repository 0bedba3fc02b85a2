import * as z from 'zod';
import { entitiesFile } from './entity.ts';

/** The JSON Schema of `entities.json`, as the text of the file beside it. Pure. */
export function entitiesSchemaText(): string {
  const schema = z.toJSONSchema(entitiesFile, { io: 'input' });
  return `${JSON.stringify({ title: 'entities.json', ...schema }, null, 2)}\n`;
}
