/** Exports in the shapes that Bamort had before format 2.0, with invented contents. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

type Row = Readonly<Record<string, unknown>>;
type Files = Readonly<Record<string, readonly Row[]>>;

export const shapes = ['1.0', '1.1', '1.2', '1.3', '1.4', '1.5'] as const;
export type Shape = (typeof shapes)[number];

const item = { beschreibung: '', source_code: 'GDB', page_number: 0, gewicht: 1, wert: 0.5 };
const skill = {
  ...{ beschreibung: 'a & b <c>', source_code: 'GDB', page_number: 12, initialwert: 5 },
  ...{ basiswert: 0, bonuseigenschaft: 'Gs', improvable: true, innate_skill: false },
};
const cost = (owner: string, name: string, difficulty: string, system: string): Row => ({
  ...{ [owner]: name, skill_system: system, category_name: 'Handwerk', category_system: system },
  ...{ difficulty_name: difficulty, difficulty_system: system, learn_cost: 4 },
});
const nested = (difficulty: string): Row => ({
  categories_difficulties: [{ category: 'Handwerk', difficulty, learn_cost: 4 }],
});

/** What all of them become. `system` and `more` make the rows of a former shape from it. */
function makeFiles(system: string, nest: (difficulty: string) => Row): Files {
  const own = { game_system: system };
  const book = { code: 'GDB', name: 'Grundbuch', full_name: 'Müller & Söhne', edition: '', ...own };
  const classes = [
    { code: 'Kü', name: 'Küstenwächter', description: '', source_code: 'GDB', ...own },
    { code: 'Wan', name: 'Wanderbote', description: '', source_code: 'GDB', ...own },
  ];
  const spell = {
    ...{ beschreibung: '', source_code: 'GDB', page_number: 3, bonus: 0, level: 2, ap: '2' },
    ...{ art: 'Wortzauber', zauberdauer: '10 sec', reichweite: '15 m', wirkungsziel: 'Wesen' },
    ...{ wirkungsbereich: '1 Wesen', wirkungsdauer: '10 min', ursprung: 'elementar' },
  };
  const improvement = {
    ...{ category_name: 'Handwerk', category_system: system },
    ...{ difficulty_name: 'normal', difficulty_system: system },
  };
  return {
    'sources.json': [book],
    'character_classes.json': classes,
    'skill_categories.json': [{ name: 'Handwerk', source_code: 'GDB', ...own }],
    'skill_difficulties.json': [
      { name: 'normal', ...own },
      { name: 'schwer', ...own },
    ],
    'spell_schools.json': [{ name: 'Klang', description: '', source_code: 'GDB', ...own }],
    'skills.json': [
      // With the ligature that the real data have.
      { name: 'Schiﬀe lenken', ...own, ...skill, ...kind('normal'), ...nest('normal') },
      { name: 'Boote flicken', ...own, ...skill, ...kind('schwer'), ...nest('schwer') },
    ],
    'skill_category_difficulties.json': [
      cost('skill_name', 'Schiﬀe lenken', 'normal', system),
      cost('skill_name', 'Boote flicken', 'schwer', system),
    ],
    'spells.json': [
      { name: 'Leise Sohlen', ...own, ...spell, category: 'Klang', learning_category: 'Klang' },
    ],
    'class_category_ep_costs.json': [
      { character_class_code: 'Kü', skill_category_name: 'Handwerk', ep_per_te: 10 },
    ],
    'class_spell_school_ep_costs.json': [
      { character_class_code: 'Wan', spell_school_name: 'Klang', ep_per_le: 60 },
    ],
    'spell_level_le_costs.json': [{ level: 1, le_required: 1, ...own }],
    'skill_improvement_costs.json': [{ ...improvement, current_level: 9, te_required: 2 }],
    'weapon_skills.json': [
      { name: 'Bootshaken', ...own, ...skill, ...kind('normal'), ...nest('normal') },
    ],
    'weaponskill_category_difficulties.json': [
      cost('weapon_skill_name', 'Bootshaken', 'normal', system),
    ],
    'equipment.json': [{ name: 'Bündel Kerzen', ...own, ...item, personal_item: false }],
    'weapons.json': [
      {
        ...{ name: 'Eschenstab', ...own, ...item, personal_item: true },
        ...{ skill_required: 'Bootshaken', damage: '1W6' },
        ...{ range_near: null, range_middle: null, range_far: null },
      },
    ],
    'containers.json': [
      { name: 'Öltuchsack', ...own, ...item, personal_item: false, tragkraft: 10, volumen: 20 },
    ],
    'transportation.json': [],
    'believes.json': [
      { name: 'Der Müller', ...own, beschreibung: '', source_code: '', page_number: 0 },
    ],
    'class_category_learning_points.json': [
      {
        ...{ class_name: 'Küstenwächter', class_system: system },
        ...{ category_name: 'Handwerk', category_system: system, points: 1 },
      },
    ],
    'class_spell_points.json': [
      { class_name: 'Wanderbote', class_system: system, spell_points: 2 },
    ],
    'class_typical_skills.json': [
      {
        ...{ class_name: 'Küstenwächter', class_system: system },
        ...{ skill_name: 'Boote flicken', skill_system: system, bonus: 2 },
      },
    ],
    'class_typical_spells.json': [
      {
        ...{ class_name: 'Wanderbote', class_system: system },
        ...{ spell_name: 'Leise Sohlen', spell_system: system },
      },
    ],
    'misc_lookups.json': [
      { key: 'gender', value: 'divers', source_code: '', page_number: 0, ...own },
    ],
  };
}

function kind(difficulty: string): Row {
  return { category: 'Handwerk', difficulty };
}

/** The rows that all shapes become, by file. */
export const inTwo: Files = makeFiles('midgard', () => ({}));

/** Files that a shape did not have yet. */
export const lacking: Readonly<Record<Shape, readonly string[]>> = (() => {
  const four = Object.keys(inTwo).filter((name) => /^class_(category_l|spell_p|typ)/.test(name));
  const misc = ['misc_lookups.json'];
  const weapon = ['weaponskill_category_difficulties.json'];
  return {
    ...{ '1.0': [...weapon, ...four, ...misc], '1.1': [...weapon, ...four, ...misc] },
    ...{ '1.2': [...four, ...misc], '1.3': misc, '1.4': [], '1.5': [] },
  };
})();

/** The rows as a shape had them. */
export function inShape(shape: Shape): Files {
  const system = shape === '1.5' ? 'M-System' : 'midgard';
  const files = makeFiles(system, shape === '1.0' ? () => ({}) : nested);
  const improvements = files['skill_improvement_costs.json']!.flatMap((row) =>
    ['Schiﬀe lenken', 'Boote flicken'].map((name) => ({
      ...{ skill_name: name, skill_system: system },
      ...row,
    })),
  );
  const had: Record<string, readonly Row[]> = {
    ...files,
    'skill_improvement_costs.json': improvements,
    // Not every export had it.
    'spells.json': files['spells.json']!.map(({ learning_category: _, ...rest }) => rest),
  };
  if (shape === '1.1')
    had['weapon_skills.json'] = makeFiles(system, () => ({}))['weapon_skills.json']!;
  if (shape !== '1.5') {
    had['misc_lookups.json'] = files['misc_lookups.json']!.map(
      ({ game_system: _, ...rest }) => rest,
    );
  } else {
    const with5 = 'skills spells spell_level_le_costs weapon_skills misc_lookups'.split(' ');
    for (const name of with5.map((each) => `${each}.json`)) {
      had[name] = had[name]!.map((row) => ({ ...row, game_system_id: 1 }));
    }
    had['misc_lookups.json'] = had['misc_lookups.json']!.map(({ game_system: _, ...rest }) => rest);
  }
  return Object.fromEntries(Object.entries(had).filter(([name]) => !lacking[shape].includes(name)));
}

/** The lists of the single file of January 2025, and the file of 2.0 that each becomes. */
export const members: Readonly<Record<string, string>> = {
  ...{ skills: 'skills.json', weapon_skills: 'weapon_skills.json', spells: 'spells.json' },
  ...{ equipments: 'equipment.json', weapons: 'weapons.json', containers: 'containers.json' },
  ...{ transportations: 'transportation.json', believes: 'believes.json' },
};

/** What the original wrote by hand, where the sources had no table yet. */
export function quelleOf({ source_code: code, page_number: page }: Row): string {
  return page === 0 ? '' : `${code} ${page}`;
}

/** What the single file held: raw rows with their ids, and containers instead of what carries things. */
export const single: Readonly<Record<string, readonly Row[] | null>> = (() => {
  const rawOf = (row: Row, at: number): Row => {
    const { source_code: code, innate_skill: innate, learning_category: _, ...rest } = row;
    return {
      ...{ id: at + 7, ...rest, quelle: quelleOf(row), source_id: code === '' ? 0 : 3 },
      ...(innate === undefined ? {} : { innateskill: innate }),
    };
  };
  const lists = Object.entries(members).map(([member, file]) => {
    const rows = inTwo[file]!.map(rawOf);
    return [member, rows.length === 0 ? null : rows];
  });
  const held: Record<string, readonly Row[] | null> = Object.fromEntries(lists);
  return { ...held, transportations: held['containers']! };
})();

/** Writes a shape as the original did: lists, two spaces, Go's escapes, null for an empty list. */
export async function writeShape(shape: Shape, dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  for (const [name, rows] of Object.entries(inShape(shape))) {
    await writeFile(join(dir, name), asGo(rows.length === 0 ? null : rows));
  }
}

/** JSON as Go writes it. */
export function asGo(value: unknown): string {
  const escapes: Readonly<Record<string, string>> = {
    '&': '\\u0026',
    '<': '\\u003c',
    '>': '\\u003e',
  };
  return JSON.stringify(value, null, 2).replace(/[&<>]/g, (char) => escapes[char]!);
}
