/**
 * The shapes in which Bamort's master data was exported before format 2.0, and how each becomes the
 * next one. No such file says which shape it has: it is recognised by what is there. Every step is
 * pure: it gives new files and changes none. Imports nothing at run time, as this folder may be
 * mounted anywhere.
 *
 * - 0: one file with raw rows of eight tables, ids included (January 2025); its `transportations`
 *   were read from the table of containers
 * - 1.0: a folder of 18 lists; 1.1: skills have categories_difficulties; 1.2: weapon skills, too;
 *   1.3: what classes learn; 1.4: misc_lookups; 1.5: game_system_id (January 2026)
 */
import type { FormatStep, FormerFiles, FormerRow } from '../src/masterdata/former.ts';

const gameSystems: Readonly<Record<string, string>> = { M5: 'midgard', 'M-System': 'midgard' };
const gameSystemIds: Readonly<Record<number, string>> = { 1: 'midgard' };

/** Files that came with each shape, and did not exist in those before it. */
const added = {
  '1.2': ['weaponskill_category_difficulties.json'],
  '1.3': [
    'class_category_learning_points.json',
    'class_spell_points.json',
    'class_typical_skills.json',
    'class_typical_spells.json',
  ],
  '1.4': ['misc_lookups.json'],
};

/** Member of the single file → file of 1.0, and the fields that both have. */
const singleFile: Readonly<Record<string, { readonly file: string; readonly fields: string }>> = {
  skills: {
    file: 'skills.json',
    fields: 'initialwert basiswert bonuseigenschaft improvable innate_skill category difficulty',
  },
  weapon_skills: {
    file: 'weapon_skills.json',
    fields: 'initialwert basiswert bonuseigenschaft improvable innate_skill category difficulty',
  },
  spells: {
    file: 'spells.json',
    fields:
      'bonus level ap art zauberdauer reichweite wirkungsziel wirkungsbereich wirkungsdauer ursprung category learning_category',
  },
  equipments: { file: 'equipment.json', fields: 'gewicht wert personal_item' },
  weapons: {
    file: 'weapons.json',
    fields: 'gewicht wert personal_item skill_required damage range_near range_middle range_far',
  },
  containers: { file: 'containers.json', fields: 'gewicht wert personal_item tragkraft volumen' },
  transportations: {
    file: 'transportation.json',
    fields: 'gewicht wert personal_item tragkraft volumen',
  },
  believes: { file: 'believes.json', fields: '' },
};
const singleFileShared = 'name game_system beschreibung quelle page_number';
const renamed: Readonly<Record<string, string>> = { innateskill: 'innate_skill', stufe: 'level' };

/** The shape of what is there, or null when it is none of them. `names` are files, or members of the one file. */
export function recognise(files: FormerFiles, kind: 'file' | 'folder'): string | null {
  const names = Object.keys(files);
  if (kind === 'file') return names.some((name) => Object.hasOwn(singleFile, name)) ? '0' : null;
  if (!names.includes('skills.json') || !names.includes('sources.json')) return null;
  const rows = Object.values(files).flat();
  if (rows.some((row) => 'game_system_id' in row)) return '1.5';
  if (names.includes(added['1.4'][0]!)) return '1.4';
  if (added['1.3'].some((name) => names.includes(name))) return '1.3';
  if (names.includes(added['1.2'][0]!)) return '1.2';
  return files['skills.json']!.some((row) => 'categories_difficulties' in row) ? '1.1' : '1.0';
}

/** The chain up to 2.0, each step from the shape before. */
export const steps: readonly FormatStep[] = [
  { from: '0', to: '1.0', convert: fromSingleFile },
  { from: '1.0', to: '1.1', convert: (files, note) => nestCategories(files, 'skills.json', note) },
  {
    from: '1.1',
    to: '1.2',
    convert: (files, note) =>
      nestCategories({ ...empty(added['1.2']), ...files }, 'weapon_skills.json', note),
  },
  { from: '1.2', to: '1.3', convert: (files) => ({ ...empty(added['1.3']), ...files }) },
  { from: '1.3', to: '1.4', convert: (files) => ({ ...empty(added['1.4']), ...files }) },
  { from: '1.4', to: '1.5', convert: addGameSystemIds },
  { from: '1.5', to: '2.0', convert: toTwo },
];

function empty(names: readonly string[]): FormerFiles {
  return Object.fromEntries(names.map((name) => [name, []]));
}

/** Ids and what hangs on them mean nothing in another database: they are left out. */
function fromSingleFile(files: FormerFiles, note: (text: string) => void): FormerFiles {
  const dropped = new Set<string>();
  const lists = Object.entries(singleFile).map(([member, { file, fields }]) => {
    const known = new Set(`${singleFileShared} ${fields}`.split(' ').filter(Boolean));
    const rows = (files[member] ?? []).map((row) => {
      const named = Object.entries(row).map(([name, value]) => [renamed[name] ?? name, value]);
      for (const [name] of named) if (!known.has(String(name))) dropped.add(String(name));
      return Object.fromEntries(named.filter(([name]) => known.has(String(name))));
    });
    return [file, rows] as const;
  });
  if (dropped.size > 0) note(`left out: ${[...dropped].sort().join(', ')}`);
  return withoutContainers(Object.fromEntries(lists), files, note);
}

/** The original read what carries things from the table of containers: such rows are containers. */
function withoutContainers(
  lists: FormerFiles,
  { containers = [], transportations = [] }: FormerFiles,
  note: (text: string) => void,
): FormerFiles {
  const same = (one: FormerRow, other: FormerRow) =>
    one['id'] === other['id'] && one['name'] === other['name'];
  const kept = transportations.map((row) => !containers.some((other) => same(row, other)));
  const left = kept.filter((isKept) => !isKept).length;
  if (left === 0) return lists;
  note(`transportations: ${left} of its rows are containers, and left out`);
  const file = singleFile['transportations']!.file;
  return { ...lists, [file]: lists[file]!.filter((_, at) => kept[at]) };
}

/** `category` and `difficulty` become the one entry of `categories_difficulties`; its cost is in the file of costs. */
function nestCategories(
  files: FormerFiles,
  file: 'skills.json' | 'weapon_skills.json',
  note: (text: string) => void,
): FormerFiles {
  const costs = files[costFileOf[file]] ?? [];
  const rows = (files[file] ?? []).map((row) => {
    if ('categories_difficulties' in row || !row['category'] || !row['difficulty']) return row;
    const found = costs.find(
      (cost) =>
        cost[ownerField[file]] === row['name'] &&
        cost['category_name'] === row['category'] &&
        cost['difficulty_name'] === row['difficulty'],
    );
    if (found === undefined) {
      note(`${file}: ${row['name']} has no learn cost for its category; none is made up`);
      return row;
    }
    const { category, difficulty } = row;
    const nested = { category, difficulty, learn_cost: found['learn_cost'] };
    return { ...row, categories_difficulties: [nested] };
  });
  return file in files ? { ...files, [file]: rows } : files;
}

const costFileOf = {
  'skills.json': 'skill_category_difficulties.json',
  'weapon_skills.json': 'weaponskill_category_difficulties.json',
} as const;
const ownerField = { 'skills.json': 'skill_name', 'weapon_skills.json': 'weapon_skill_name' };

function addGameSystemIds(files: FormerFiles): FormerFiles {
  const names = ['skills', 'spells', 'spell_level_le_costs', 'weapon_skills', 'misc_lookups'];
  const changed = names
    .map((name) => `${name}.json`)
    .filter((file) => file in files)
    .map((file) => [file, files[file]!.map((row) => ({ ...row, game_system_id: idOf(row) }))]);
  return { ...files, ...Object.fromEntries(changed) };
}

function idOf(row: FormerRow): number {
  const name = String(row['game_system'] ?? gameSystemIds[1]);
  const found = Object.entries(gameSystemIds).find(([, known]) => known === canonical(name));
  return found === undefined ? 0 : Number(found[0]);
}

function canonical(name: string): string {
  return gameSystems[name] ?? name;
}

/** Names instead of ids, one name per game system, one place for each fact. */
function toTwo(former: FormerFiles, note: (text: string) => void): FormerFiles {
  const named = Object.fromEntries(
    Object.entries(former).map(([file, rows]) => [file, rows.map(nameGameSystem)]),
  );
  const files = nameClasses(named);
  const skills = unnest(files, 'skills.json', note);
  const weaponSkills = unnest(files, 'weapon_skills.json', note);
  const spells = (files['spells.json'] ?? []).map((row) =>
    row['learning_category'] ? row : { ...row, learning_category: row['category'] ?? '' },
  );
  const improvements = mergeImprovements(files['skill_improvement_costs.json'] ?? [], note);
  return {
    ...files,
    ...skills,
    ...weaponSkills,
    'spells.json': spells,
    'skill_improvement_costs.json': improvements,
  };
}

function nameGameSystem(row: FormerRow): FormerRow {
  const { game_system_id: id, ...rest } = row;
  const systems = Object.entries(rest)
    .filter(([name]) => name === 'game_system' || name.endsWith('_system'))
    .map(([name, value]) => [name, value === null ? null : canonical(String(value))]);
  const own =
    'game_system' in rest || id === undefined ? {} : { game_system: gameSystemIds[Number(id)] };
  return { ...rest, ...own, ...Object.fromEntries(systems) };
}

/** Costs name a class by its code, what it learns names it by its name; some exports had them the other way round. */
function nameClasses(files: FormerFiles): FormerFiles {
  const classes = files['character_classes.json'] ?? [];
  const codes = new Map(classes.map((row) => [row['name'], row['code']]));
  const names = new Map(classes.map((row) => [row['code'], row['name']]));
  const rename = (row: FormerRow): FormerRow => {
    const code = row['character_class_code'];
    const name = row['class_name'];
    return {
      ...row,
      ...(codes.has(code) && !names.has(code) ? { character_class_code: codes.get(code) } : {}),
      ...(names.has(name) && !codes.has(name) ? { class_name: names.get(name) } : {}),
    };
  };
  return Object.fromEntries(Object.entries(files).map(([file, rows]) => [file, rows.map(rename)]));
}

/** Moves `categories_difficulties` into the file of costs. Where both say a cost, that file wins, as it was imported last. */
function unnest(
  files: FormerFiles,
  file: 'skills.json' | 'weapon_skills.json',
  note: (text: string) => void,
): FormerFiles {
  const costs = [...(files[costFileOf[file]] ?? [])];
  const known = new Map(costs.map((cost) => [costKey(cost, ownerField[file]), cost]));
  const rows = (files[file] ?? []).map((row) => {
    const { categories_difficulties: nested, ...rest } = row;
    const system = row['game_system'];
    for (const entry of (nested ?? []) as readonly FormerRow[]) {
      const cost = {
        ...{ [ownerField[file]]: row['name'], skill_system: system },
        ...{ category_name: entry['category'], category_system: system },
        ...{ difficulty_name: entry['difficulty'], difficulty_system: system },
        learn_cost: entry['learn_cost'],
      };
      const key = costKey(cost, ownerField[file]);
      const other = known.get(key);
      if (other === undefined) {
        known.set(key, cost);
        costs.push(cost);
      } else if (other['learn_cost'] !== cost.learn_cost) {
        const kept = `${costFileOf[file]} says ${other['learn_cost']}, which is kept`;
        note(`${file}: ${row['name']} has another learn cost (${cost.learn_cost}); ${kept}`);
      }
    }
    return rest;
  });
  return { [file]: rows, [costFileOf[file]]: costs };
}

function costKey(cost: FormerRow, owner: string): string {
  const fields = [owner, 'skill_system', 'category_name', 'difficulty_name'];
  return JSON.stringify(fields.map((name) => cost[name]));
}

/** Once per skill, now per category and difficulty: equal ones become one, the first of unequal ones stays. */
function mergeImprovements(
  rows: readonly FormerRow[],
  note: (text: string) => void,
): readonly FormerRow[] {
  const merged = new Map<string, FormerRow>();
  for (const row of rows) {
    const { skill_name: skill, skill_system: _, ...rest } = row;
    const { te_required: cost, ...place } = rest;
    const key = JSON.stringify(place);
    const other = merged.get(key);
    if (other === undefined) merged.set(key, rest);
    else if (other['te_required'] !== cost) {
      note(
        `skill_improvement_costs.json: ${skill} costs ${cost} at level ${row['current_level']}, another skill of its kind ${other['te_required']}, which is kept`,
      );
    }
  }
  return [...merged.values()];
}
