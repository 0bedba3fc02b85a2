/**
 * What existed before a migration that would have made it (`IF NOT EXISTS`), and what going back
 * therefore leaves alone. Pure.
 */
import type { ObjectKey, SchemaObject } from '../schema/model.ts';
import {
  describePart,
  isSamePart,
  madeIfMissing,
  type Part,
  removedBy,
} from '../statements/parts.ts';
import type { ClassifiedStatement, Migration } from './migration.ts';

/** A part that was there before a migration. */
export type ExistingPart = Part & {
  /** True for a table in which that migration changed something all the same. */
  readonly changed?: boolean;
};

/** What existed before each migration, by its number; nothing is known of those that are missing. */
export type ExistedBefore = ReadonlyMap<number, readonly ExistingPart[]>;

/** The parts that the up file of a migration makes only if they are missing. */
export function conditionalParts(migration: Migration): readonly Part[] {
  return migration.up.statements.flatMap(madeIfMissing);
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

/**
 * Leaves the statements out of the down file that drop exactly what existed before the migration.
 * The others keep their numbers, which name them in the journal.
 */
export function spareExisting(migration: Migration, existed: readonly ExistingPart[]): Spared {
  const { down } = migration;
  if (down === null || existed.length === 0) return { migration, kept: [], conflicts: [] };
  const kept: string[] = [];
  const conflicts: Spared['conflicts'][number][] = [];
  const statements = down.statements.filter((statement) => {
    const verdict = judge(statement, existed);
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
): { readonly kept: readonly string[] } | { readonly message: string } | null {
  const removal = removedBy(statement);
  if (removal === null) return null;
  const { parts, alone } = removal;
  const found = (part: Part) => existed.find((one) => isSamePart(one, part));
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
