import { join } from 'node:path';
import type * as z from 'zod';
import { canonicalJson, makeDigest } from './canonical.ts';
import { checkEntities } from './check-entities.ts';
import { readText } from './decode.ts';
import { type EntitySet, entitiesFile, entitiesOf } from './entity.ts';
import { orderEntities } from './order.ts';
import { invalid, makeProblems } from './problems.ts';

/** The declaration's file in a folder of master data. */
export const ENTITIES_FILE = 'entities.json';

/**
 * Reads and checks `entities.json` of a folder. Touches no database.
 *
 * @throws DeployError `MASTERDATA_INVALID` with all problems: unreadable, wrong shape, references to unknown
 *   entities or fields, a cycle of references.
 */
export async function readEntities(dir: string): Promise<EntitySet> {
  const where = join(dir, ENTITIES_FILE);
  const text = await readText(where);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw invalid(where, 'the declaration of the master data is not JSON');
  }
  return parseEntities(json, dir);
}

/** The declaration of a parsed `entities.json`. Pure; throws as `readEntities`. */
export function parseEntities(json: unknown, dir: string): EntitySet {
  const problems = makeProblems(dir);
  const add = (message: string) => problems.add(ENTITIES_FILE, null, null, message);
  const parsed = entitiesFile.safeParse(json);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) add(describeIssue(issue));
    problems.throwIfAny();
    throw parsed.error;
  }
  const file = parsed.data;
  const declared = entitiesOf(file);
  for (const message of checkEntities(declared)) add(message);
  const names = Object.entries(file.gameSystemAliases).flatMap(([name, { aliases }]) => [
    name,
    ...aliases,
  ]);
  for (const name of names.filter((one, at) => names.indexOf(one) !== at)) {
    add(`gameSystemAliases: ${name} stands for two game systems`);
  }
  const order = orderEntities(declared);
  if ('cycle' in order) add(`the references run in a circle: ${order.cycle.join(' → ')}`);
  problems.throwIfAny();
  const { $schema: _, ...content } = file;
  const digest = makeDigest();
  digest.add(canonicalJson(content));
  return {
    dir,
    entities: 'entities' in order ? order.entities : [],
    gameSystems: Object.entries(file.gameSystemAliases).map(([name, { id, aliases }]) => ({
      ...{ name, id, aliases },
    })),
    protected: file.protected,
    digest: digest.hex(),
  };
}

function describeIssue({ path, message }: z.core.$ZodIssue): string {
  const at = path.map(String).join('.');
  return at === '' ? message : `${at}: ${message}`;
}
