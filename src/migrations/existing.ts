/**
 * What existed before a migration that would have made it (`IF NOT EXISTS`) or put another in its
 * place, and what going back therefore leaves alone. Pure.
 */
import type { ObjectKey, SchemaObject } from '../schema/model.ts';
import {
  describePart,
  isSamePart,
  madeIfMissing,
  madeObject,
  type Part,
  removedBy,
} from '../statements/parts.ts';
import type { ClassifiedStatement, Migration } from './migration.ts';

/** A part that was there before a migration. */
export type ExistingPart = Part & {
  /** True for an object that is not what it was when that migration had run. */
  readonly changed?: boolean;
};

/** What existed before each migration, by its number; nothing is known of those that are missing. */
export type ExistedBefore = ReadonlyMap<number, readonly ExistingPart[]>;

/**
 * The parts that the up file of a migration makes where there may be one already: only if it is
 * missing, in its place, or after dropping it.
 */
export function conditionalParts({ up }: Pick<Migration, 'up'>): readonly Part[] {
  const dropped: Part[] = [];
  return up.statements.flatMap((statement) => {
    const conditional = madeIfMissing(statement);
    const made = madeObject(statement);
    const isNew = made !== null && dropped.some((part) => isSamePart(part, made));
    dropped.push(...(removedBy(statement)?.parts ?? []));
    return conditional.length === 0 && isNew ? [made] : conditional;
  });
}

/** Whether a schema has the part. */
export function hasPart(objects: ReadonlyMap<ObjectKey, SchemaObject>, part: Part): boolean {
  // MariaDB: with lower_case_table_names the stored name is in lower case.
  const object = (kind: string, name: string) =>
    objects.get(`${kind}:${name}` as ObjectKey) ??
    objects.get(`${kind}:${name.toLowerCase()}` as ObjectKey);
  if (part.table === null) return object(part.kind, part.name) !== undefined;
  const table = object('table', part.table);
  if (table?.kind !== 'table') return false;
  const among = (list: readonly { readonly name: string }[]) =>
    list.some(({ name }) => name.toLowerCase() === part.name.toLowerCase());
  switch (part.kind) {
    case 'column':
      return among(table.columns);
    case 'index':
      return among(table.indexes);
    case 'foreign key':
      return among(table.foreignKeys);
    default:
      return among([...table.checks, ...table.foreignKeys, ...table.indexes]);
  }
}

/** A migration whose down file leaves alone what existed before. */
export type Spared = {
  readonly migration: Migration;
  /** What is kept, e.g. `column customer.city`. */
  readonly kept: readonly string[];
  /** Statements that would drop it together with something else: a person must edit them. */
  readonly conflicts: readonly { readonly message: string; readonly where: string }[];
};

/** Objects without rows: dropped and made again they are as new. */
const CODE = new Set(['view', 'trigger', 'procedure', 'function', 'event']);

/**
 * Leaves the statements out of the down file that drop exactly what existed before the migration.
 * The others keep their numbers, which name them in the journal.
 */
export function spareExisting(migration: Migration, existed: readonly ExistingPart[]): Spared {
  const { down } = migration;
  if (down === null || existed.length === 0) return { migration, kept: [], conflicts: [] };
  const kept: string[] = [];
  const conflicts: Spared['conflicts'][number][] = [];
  const made = down.statements.map(madeObject);
  const statements = down.statements.filter((statement, index) => {
    // What comes back in this file, with the same statement or a later one, is not taken away.
    const returns = (part: Part) =>
      CODE.has(part.kind) &&
      made.some((each, at) => at >= index && each !== null && isSamePart(each, part));
    const verdict = judge(statement, existed, returns);
    if (verdict === null) return true;
    if ('kept' in verdict) kept.push(...verdict.kept);
    else conflicts.push({ message: verdict.message, where: `${down.path}:${statement.line}` });
    return false;
  });
  return { migration: { ...migration, down: { ...down, statements } }, kept, conflicts };
}

/** Spares what existed for each of `migrations`. */
export function spareAll(
  migrations: readonly Migration[],
  existed: ExistedBefore,
): readonly Spared[] {
  return migrations.map((migration) =>
    spareExisting(migration, existed.get(migration.number) ?? []),
  );
}

function judge(
  statement: ClassifiedStatement,
  existed: readonly ExistingPart[],
  returns: (part: Part) => boolean,
): { readonly kept: readonly string[] } | { readonly message: string } | null {
  const removal = removedBy(statement);
  if (removal === null) return null;
  const { parts, alone } = removal;
  const found = (part: Part) => existed.find((one) => isSamePart(one, part) && !returns(part));
  const mine = parts.filter((part) => found(part) !== undefined);
  const names = mine.map(describePart).join(', ');
  if (mine.some((part) => found(part)?.changed)) {
    const message = `${names} existed before this migration, which changed it: let the down file take that change back, and not drop it`;
    return { message };
  }
  if (mine.length === parts.length && alone) return { kept: mine.map(describePart) };
  if (mine.length > 0) {
    const message = `${names} existed before this migration and is dropped together with something else: give it a statement of its own, which is then left out, or take it out of the file`;
    return { message };
  }
  const isInside = (part: Part) =>
    existed.find(
      ({ table }) => part.kind === 'table' && isSamePart(part, { ...part, name: table ?? '' }),
    );
  const inside = parts.map(isInside).find((part) => part !== undefined);
  if (inside === undefined) return null;
  const message = `${describePart(inside)} existed before this migration, and its whole table would be dropped: correct the down file`;
  return { message };
}
