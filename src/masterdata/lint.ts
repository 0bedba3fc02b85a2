/** Looks for what is allowed in master data and still likely to be a mistake. Pure: no database. */
import type { Entity, EntitySet, Field } from './entity.ts';
import type { EntityRows } from './read.ts';
import { fold, makeTwins, textOf } from './twins.ts';

export type LintRule = 'empty name' | 'ligature' | 'no match' | 'placeholder' | 'spelling twin';

export type LintFinding = {
  readonly rule: LintRule;
  readonly file: string;
  /** Place in the file's list, from 0. */
  readonly index: number;
  /** Natural key as text. */
  readonly key: string;
  readonly message: string;
};

type Row = Readonly<Record<string, unknown>>;

// Typographic ligatures: they come from copied PDF text, and no search finds them.
const ligature = /[\uFB00-\uFB06]/;
const placeholder = /^(placeholder|todo|tbd|fixme|xxx+|check|dummy|test|\?+|n\/a)$/i;

/**
 * Reads the rows twice: once for what may be referred to, once for what is wrong. Keeps the text
 * of natural keys and of referred fields, not the rows.
 *
 * @throws DeployError `MASTERDATA_INVALID` when a file changed since the set was read.
 */
export async function lintMasterdata(
  entities: EntitySet,
  data: readonly EntityRows[],
): Promise<LintFinding[]> {
  const known = await collectKnown(entities, data);
  const findings: LintFinding[] = [];
  for (const one of data) {
    const twins = makeTwins(one.entity);
    for await (const rows of one.rows()) {
      for (const { index, value } of rows) {
        const row = (value ?? {}) as Row;
        const key = one.entity.key.map((name) => textOf(row[name])).join(', ');
        const add = (rule: LintRule, message: string) =>
          findings.push({ rule, file: one.entity.file, index, key, message });
        lintTexts(one.entity, row, add);
        for (const message of danglingOf(entities, one.entity, row, known))
          add('no match', message);
        const twin = twins(row, key);
        if (twin !== null) add('spelling twin', `is spelled almost like ${twin}`);
      }
    }
  }
  return findings;
}

/** `entity.field` → the values that rows have there, folded. */
type Known = ReadonlyMap<string, Set<string>>;

async function collectKnown(entities: EntitySet, data: readonly EntityRows[]): Promise<Known> {
  const known = new Map<string, Set<string>>();
  for (const entity of entities.entities) {
    for (const field of entity.fields) {
      const target = targetOf(entities, entity, field);
      if (target !== null) known.set(target.name, new Set());
    }
  }
  for (const { entity, rows } of data) {
    const wanted = entity.fields.filter(({ name }) => known.has(`${entity.name}.${name}`));
    if (wanted.length === 0) continue;
    for await (const some of rows()) {
      for (const { value } of some) {
        for (const { name } of wanted)
          known.get(`${entity.name}.${name}`)!.add(fold(textOf((value as Row)[name])));
      }
    }
  }
  return known;
}

type Target = { readonly name: string; readonly isSystem: boolean };

/** What a field points to, as `entity.field`; null when it points to nothing. */
function targetOf({ entities }: EntitySet, entity: Entity, field: Field): Target | null {
  const reference = entity.references.find((one) => one.column === field.reference?.column);
  const parent = field.matches?.entity ?? reference?.entity;
  const name = field.matches?.field ?? field.reference?.field;
  const other = entities
    .find((one) => one.name === parent)
    ?.fields.find((one) => one.name === name);
  if (other === undefined) return null;
  return { name: `${parent}.${name}`, isSystem: other.gameSystem !== null };
}

function danglingOf(set: EntitySet, entity: Entity, row: Row, known: Known): string[] {
  return entity.fields.flatMap((field) => {
    const target = targetOf(set, entity, field);
    const value = row[field.name];
    if (target === null || value === null || value === undefined) return [];
    // Game systems have aliases, which only the sync resolves.
    if (target.isSystem || isNone(entity, field, value)) return [];
    if (known.get(target.name)!.has(fold(textOf(value)))) return [];
    return [`${field.name}: no row of ${target.name.replace('.', ' has the ')} ${quoted(value)}`];
  });
}

function isNone(entity: Entity, field: Field, value: unknown): boolean {
  if (field.matches?.also.includes(textOf(value))) return true;
  const reference = entity.references.find((one) => one.column === field.reference?.column);
  return reference?.none?.value === value;
}

function lintTexts(entity: Entity, row: Row, add: (rule: LintRule, message: string) => void): void {
  for (const [name, value] of Object.entries(row)) {
    if (typeof value !== 'string') continue;
    const found = ligature.exec(value);
    if (found !== null) {
      const plain = value.normalize('NFKC');
      add('ligature', `${name}: ${quoted(value)} has a ligature; ${quoted(plain)} is meant`);
    }
    // In any field, also where the declaration lets it pass: it still stands for something to be written.
    if (placeholder.test(value.trim())) add('placeholder', `${name}: ${quoted(value)}`);
    const field = entity.fields.find((one) => one.name === name);
    if (!entity.key.includes(name) || field === undefined) continue;
    if (value.trim() === '' && !isNone(entity, field, value)) add('empty name', `${name} is empty`);
  }
}

function quoted(value: unknown): string {
  return `'${textOf(value)}'`;
}
