import { idOf } from './ids.ts';
import type { Random } from './random.ts';
import type { Row, TableRows, Value } from './table-rows.ts';
import { longText, maybeText, thingName } from './texts.ts';
import {
  believes,
  characterClasses,
  skillCategories,
  skillDifficulties,
  spellKinds,
  spellSchools,
} from './words.ts';

const gameSystem = { game_system: 'midgard' };
const sourceIds = [1, 2, 3, 4, 5, 6, 7] as const;

/** The columns that every rule has: 0, '' and NULL are all in use for "no source". */
export function describe(random: Random): Row {
  return {
    beschreibung: maybeText(random),
    quelle: random.pick(['BDW 12', 'BDW', '', null]),
    source_id: random.pick([0, null, ...sourceIds]),
    page_number: random.pick([0, 0, 12, 348, null]),
  };
}

/**
 * Makes the rules without goods and costs, under legacy table names: every oddity of the real
 * ones (facts §1.3), none of their contents.
 */
export function makeRuleRows(random: Random): TableRows[] {
  return [
    { table: 'learning_sources', rows: sourceIds.map(makeSource) },
    { table: 'learning_character_classes', rows: characterClasses.map(makeClass) },
    named('learning_skill_categories', skillCategories, (at) => withSource(at)),
    named('learning_skill_difficulties', skillDifficulties, () => ({ description: '' })),
    named('learning_spell_schools', spellSchools, (at) => ({
      ...withSource(at),
      description: at % 2 === 0 ? null : 'Schule der Übungsdaten',
    })),
    { table: 'gsm_skills', rows: makeSkills(random, 66, 10) },
    { table: 'gsm_weaponskills', rows: makeSkills(random, 21, 0) },
    { table: 'gsm_spells', rows: list(120, (at) => makeSpell(random, at)) },
    named('gsm_believes', believes, () => describe(random)),
  ];
}

/** `count` rows, made from their numbers. */
export function list(count: number, make: (at: number) => Row): Row[] {
  return Array.from({ length: count }, (_, at) => make(at));
}

function named(table: string, names: readonly string[], rest: (at: number) => Row): TableRows {
  const rows = names.map((name, at) => ({ id: idOf(at), name, ...gameSystem, ...rest(at) }));
  return { table, rows };
}

function withSource(at: number): Row {
  return { source_id: sourceIds[at % 7]!, quelle: at % 3 === 0 ? 'KOD' : 'BDW' };
}

function makeSource(id: number): Row {
  return {
    id,
    code: `BDW${id}`,
    name: `Buch der Wege ${id}`,
    full_name: `Das Buch der Wege, Teil ${id} – Übungsdaten`,
    edition: id % 2 === 0 ? null : '1. Auflage',
    publisher: 'Müller & Söhne <Verlag>',
    publish_year: 2001 + id,
    description: id === 3 ? 'Zeile 1\r\nZeile 2' : null,
    is_core: id === 1 ? 1 : 0,
    is_active: id === 7 ? 0 : 1,
    ...gameSystem,
  };
}

function makeClass(name: string, at: number): Row {
  const code = name.slice(0, at % 2 === 0 ? 2 : 3);
  return { id: idOf(at), code, name, description: null, ...withSource(at), ...gameSystem };
}

function makeSkills(random: Random, count: number, placeholders: number): Row[] {
  const name = (at: number) => (at < placeholders ? 'Placeholder' : thingName(random, at));
  return list(count, (at) => ({
    id: idOf(at),
    ...gameSystem,
    name: name(at),
    ...describe(random),
    initialwert: random.int(0, 12),
    bonuseigenschaft: random.pick(['Kraft', 'Körper', 'check', '', null]),
    improvable: random.pick([0, 1, 1, null]),
    innate_skill: random.pick([0, 0, 1, null]),
    category: random.pick(skillCategories),
    difficulty: random.pick(skillDifficulties),
  }));
}

function makeSpell(random: Random, at: number): Row {
  const text = (...values: Value[]) => random.pick(values);
  return {
    id: idOf(at),
    ...gameSystem,
    name: thingName(random, at),
    ...describe(random),
    bonus: text(0, null),
    stufe: random.int(1, 12),
    ap: text('1', '2 je m²', '∞'),
    art: text('Gestenzauber', 'Wortzauber'),
    zauberdauer: text('10 sec', '½ min'),
    reichweite: text('–', '15 m', '', null),
    wirkungsziel: text('Umgebung', null),
    wirkungsbereich: text('3 m²', '1 × 1 m', null),
    wirkungsdauer: text('∞', '2 min', longText(random)),
    ursprung: text('Übung', null),
    category: random.pick([...spellSchools, 'unknown', 'normal']),
    learning_category: random.pick(spellKinds),
  };
}
