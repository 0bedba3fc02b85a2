import { idOf } from './ids.ts';
import type { Random } from './random.ts';
import { list } from './rule-rows.ts';
import type { Row, TableRows } from './table-rows.ts';
import { characterClasses, skillCategories, skillDifficulties } from './words.ts';

/** Table names of the legacy schema and what they are called from 0.4.0 on. */
export const renamedTables: ReadonlyMap<string, string> = new Map([
  ['learning_sources', 'gsm_lit_sources'],
  ['learning_character_classes', 'gsm_character_classes'],
  ['skill_skills', 'char_skills'],
  ['skill_spells', 'char_spells'],
  ['skill_weaponskills', 'char_weaponskills'],
]);

/** Turns legacy rows into the rows that a database of 0.4.0 has. Pure. */
export function toVersion040(tables: readonly TableRows[]): readonly TableRows[] {
  return tables
    .filter(({ table }) => table !== 'learning_skill_improvement_costs')
    .map(({ table, rows }) => ({
      table: renamedTables.get(table) ?? table,
      rows: rows.map((row, at) => toVersion040Row(table, row, at)),
    }));
}

function toVersion040Row(table: string, row: Row, at: number): Row {
  switch (table) {
    case 'users':
      return {
        ...row,
        role: ['admin', 'maintainer'][at] ?? 'standard',
        preferred_language: at % 2 === 0 ? 'de' : 'en',
      };
    case 'gsm_skills':
    case 'gsm_weaponskills':
      return { ...row, basis_wert: at % 3 };
    case 'skill_skills':
    case 'skill_weaponskills':
      return { ...row, basis_wert: at % 9 === 0 ? 0 : null };
    case 'char_wealth':
      return withoutUmlauts(row);
    default:
      return row;
  }
}

function withoutUmlauts({ goldstücke, silberstücke, kupferstücke, ...row }: Row): Row {
  return {
    ...row,
    goldstuecke: row['goldstuecke'] ?? goldstücke ?? null,
    silberstuecke: row['silberstuecke'] ?? silberstücke ?? null,
    kupferstuecke: row['kupferstuecke'] ?? kupferstücke ?? null,
  };
}

/** Makes the rows of the tables that came with 0.4.0. */
export function makeNewTableRows(random: Random): TableRows[] {
  const classes = characterClasses.length;
  const pair = (at: number) => ({
    character_class_id: idOf(at % classes),
    skill_category_id: idOf(Math.floor(at / classes)),
  });
  return [
    {
      table: 'gsm_misc',
      rows: list(39, (at) => ({
        id: idOf(at),
        // Several values for one key: the natural key is both columns.
        key: `liste_${at % 7}`,
        value: `Wert ${at} für "Öl"`,
        source_id: random.pick([0, 1, null]),
        page_number: random.pick([0, null]),
      })),
    },
    {
      table: 'learning_weaponskill_category_difficulties',
      rows: list(21, (at) => ({
        id: idOf(at),
        weapon_skill_id: idOf(at),
        skill_category_id: idOf(skillCategories.length - 1),
        skill_difficulty_id: idOf(at % skillDifficulties.length),
        learn_cost: random.int(1, 12),
        skill_difficulty: skillDifficulties[at % skillDifficulties.length]!,
        skill_category: skillCategories.at(-1)!,
      })),
    },
    {
      table: 'gsm_cc_class_category_points',
      rows: list(61, (at) => ({ id: idOf(at), ...pair(at), points: random.int(0, 5) })),
    },
    {
      table: 'gsm_cc_class_spell_points',
      rows: list(8, (at) => ({ id: idOf(at), character_class_id: idOf(at), spell_points: at })),
    },
    {
      table: 'gsm_cc_class_typical_skills',
      rows: list(21, (at) => ({
        id: idOf(at),
        character_class_id: idOf(at % classes),
        skill_id: idOf(at),
        bonus: random.int(0, 4),
        attribute: random.pick(['Körper', '', null]),
        notes: null,
      })),
    },
    {
      table: 'gsm_cc_class_typical_spells',
      rows: list(9, (at) => ({
        id: idOf(at),
        character_class_id: idOf(at),
        spell_id: idOf(at),
        notes: random.pick(['', null, 'nur für Übungen']),
      })),
    },
  ];
}
