import type { Entity } from './entity.ts';

/** The entities in an order in which each comes after those that it refers to, or the cycle. */
export type Order =
  | { readonly entities: readonly Entity[] }
  | { readonly cycle: readonly string[] };

/**
 * Orders entities by their references; independent ones stay in the order of the file. Pure.
 * A reference to an unknown entity is ignored here.
 */
export function orderEntities(entities: readonly Entity[]): Order {
  const byName = new Map(entities.map((entity) => [entity.name, entity]));
  const ordered: Entity[] = [];
  const done = new Set<string>();

  function visit(entity: Entity, path: readonly string[]): readonly string[] | null {
    if (done.has(entity.name)) return null;
    const from = path.indexOf(entity.name);
    if (from !== -1) return [...path.slice(from), entity.name];
    for (const { entity: parent } of entity.references) {
      const next = byName.get(parent);
      const cycle = next === undefined ? null : visit(next, [...path, entity.name]);
      if (cycle !== null) return cycle;
    }
    done.add(entity.name);
    ordered.push(entity);
    return null;
  }

  for (const entity of entities) {
    const cycle = visit(entity, []);
    if (cycle !== null) return { cycle };
  }
  return { entities: ordered };
}
