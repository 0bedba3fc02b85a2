import type { Entity, Field } from './entity.ts';

/** What is wrong with declarations that have the right shape, as sentences. Pure. */
export function checkEntities(entities: readonly Entity[]): string[] {
  const byName = new Map(entities.map((entity) => [entity.name, entity]));
  return [
    ...repeated(entities.map(({ file }) => file)).map((file) => `two entities have file ${file}`),
    ...repeated(entities.map(({ table }) => table)).map(
      (table) => `two entities have table ${table}`,
    ),
    ...entities.flatMap((entity) =>
      [
        ...checkKey(entity),
        ...checkColumns(entity),
        ...checkReferences(entity, byName),
        ...entity.fields.flatMap((field) => checkField(entity, field, byName)),
      ].map((message) => `entity ${entity.name}: ${message}`),
    ),
  ];
}

function checkKey(entity: Entity): string[] {
  const unknown = entity.key.filter((name) => fieldOf(entity, name) === undefined);
  const part = entity.references
    .map(({ column }) => entity.fields.filter(({ reference }) => reference?.column === column))
    .filter((fields) => {
      const inKey = fields.filter(({ name }) => entity.key.includes(name)).length;
      return inKey > 0 && inKey < fields.length;
    })
    .map((fields) => fields.map(({ name }) => name).join(', '));
  return [
    ...unknown.map((name) => `the key has ${name}, which is not a field`),
    ...part.map((names) => `${names} are one reference: all of them are in the key, or none`),
  ];
}

function checkColumns(entity: Entity): string[] {
  const columns = [
    ...entity.fields.flatMap(({ column, gameSystem }) => [column, gameSystem?.idColumn ?? null]),
    ...entity.references.flatMap(({ column, copies }) => [column, ...copies.keys()]),
  ].filter((column) => column !== null);
  return repeated(columns).map((column) => `column ${column} is written from two places`);
}

function checkReferences(entity: Entity, byName: ReadonlyMap<string, Entity>): string[] {
  return entity.references.flatMap(({ column, entity: name, copies, none }) => {
    const parent = byName.get(name);
    if (parent === undefined) return [`reference ${column}: there is no entity ${name}`];
    const own = entity.fields.filter(({ reference }) => reference?.column === column);
    return [
      ...(own.length === 0 ? [`reference ${column} has no field`] : []),
      ...(none !== null && own.length > 1
        ? [`reference ${column} has several fields, so that it cannot have none`]
        : []),
      ...[...own.map(({ reference }) => reference!.field), ...copies.values()]
        .filter((field) => (fieldOf(parent, field)?.column ?? null) === null)
        .map((field) => `reference ${column}: ${name} has no field ${field} with an own column`),
    ];
  });
}

function checkField(entity: Entity, field: Field, byName: ReadonlyMap<string, Entity>): string[] {
  const { name, reference, matches, required } = field;
  const problems: string[] = [];
  if (reference !== null && !entity.references.some(({ column }) => column === reference.column)) {
    problems.push(`field ${name}: there is no reference ${reference.column}`);
  }
  if (reference !== null && (field.gameSystem !== null || matches !== null)) {
    problems.push(`field ${name} is part of a reference, so that it is compared there`);
  }
  if (required && field.default !== undefined) {
    problems.push(`field ${name} is required, so that it has no default`);
  }
  const other = matches === null ? undefined : byName.get(matches.entity);
  if (matches !== null && (other === undefined || !fieldOf(other, matches.field)?.column)) {
    problems.push(`field ${name}: ${matches.entity} has no field ${matches.field}`);
  }
  return problems;
}

function fieldOf(entity: Entity, name: string): Field | undefined {
  return entity.fields.find((field) => field.name === name);
}

function repeated(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, at) => names.indexOf(name) !== at))];
}
