import { makeBelongingRows } from './belonging-rows.ts';
import { idOf } from './ids.ts';
import type { Random } from './random.ts';
import { list } from './rule-rows.ts';
import type { Row, TableRows } from './table-rows.ts';
import { maybeText, personName } from './texts.ts';
import { makeWealth } from './wealth-rows.ts';
import { attributes, characterClasses, skillCategories } from './words.ts';

/** What the rows of a character are made from. */
export type CharacterSource = {
  readonly random: Random;
  readonly users: number;
  readonly image: (number: number) => string;
  readonly skills: readonly Row[];
  readonly weaponSkills: readonly Row[];
  readonly spells: readonly Row[];
};

const SKILLS = 18;
const WEAPON_SKILLS = 4;
const SPELLS = 12;

/**
 * Makes the characters number `from` up to, not including, `to`, under legacy table names. In 13
 * of them, as in the real data: 6 with picture, 5 without the newer columns, 1 without any
 * child row, 9 that belong to user 1.
 */
export function makeCharacterRows(source: CharacterSource, from: number, to: number): TableRows[] {
  const byTable = new Map<string, Row[]>([['char_chars', []]]);
  for (let at = from; at < to; at++) {
    byTable.get('char_chars')!.push(makeCharacter(source, at));
    for (const { table, rows } of makeChildren(source, at)) {
      const known = byTable.get(table);
      if (known === undefined) byTable.set(table, [...rows]);
      else known.push(...rows);
    }
  }
  return [...byTable].map(([table, rows]) => ({ table, rows }));
}

function makeCharacter({ random, users, image }: CharacterSource, at: number): Row {
  const place = at % 13;
  const isOld = place < 5;
  const since = <T>(value: T) => (isOld ? null : value);
  return {
    id: idOf(at),
    name: personName(random),
    user_id: place < 9 ? 1 : idOf(random.int(0, users - 1)),
    rasse: random.pick(['Mensch', 'Zwerg', 'Gnömchen']),
    typ: random.pick([...characterClasses, 'Bestienjäger']),
    alter: random.pick([0, 17, 48, null]),
    anrede: random.pick(['er', 'sie', '']),
    grad: random.int(1, 20),
    groesse: random.int(90, 210),
    gewicht: random.int(30, 140),
    glaube: random.pick(['Schamanistisch', 'Ylva', '', null]),
    hand: random.pick(['rechts', 'links', 'beidhändig']),
    public: random.pick([0, 1, null]),
    // The JSON text of an empty list is `null` here: four letters, not NULL.
    spezialisierung: place < 10 ? 'null' : '["Hörrohr","Öllampe"]',
    image: place < 6 ? image(at) : random.pick(['', null]),
    gender: since('weiblich'),
    social_class: since('Bürgertum'),
    herkunft: since('Küste'),
    resistenz_koerper: since(11),
    resistenz_geist: since(0),
    abwehr: since(12),
    zaubern: since(0),
    raufen: since(6),
  };
}

function makeChildren(source: CharacterSource, at: number): TableRows[] {
  const place = at % 13;
  if (place === 4) return [];
  const { random } = source;
  const characterId = idOf(at);
  const owner = { character_id: characterId, user_id: random.pick([0, 1, null]) };
  const table = (name: string, rows: readonly Row[]): TableRows => ({ table: name, rows });
  const one = (name: string, row: Row) => table(name, [{ id: idOf(at), ...row }]);
  const range = { character_id: characterId, max: random.int(8, 60), value: random.int(0, 60) };
  return [
    table(
      'char_eigenschaften',
      attributes.map((name) => ({ id: 0, ...owner, name, value: random.int(1, 100) })),
    ),
    one('char_health', range),
    one('char_endurances', { ...range, value: null }),
    one('char_motionranges', { ...range, value: 0 }),
    ...(place % 2 === 0 ? [one('char_characteristics', { ...owner, ...makeLooks(random) })] : []),
    ...(place < 10
      ? [one('char_bennies', { ...owner, name: null, gg: 0, gp: place, sg: null })]
      : []),
    ...(place < 8
      ? [one('char_experiances', { ...owner, name: '', es: 0, ep: random.int(0, 9999) })]
      : []),
    // A purse without character is kept too: the column allows it.
    ...(place < 8
      ? [table('char_wealth', [makeWealth(random, at, at === 3 ? null : characterId)])]
      : []),
    ...makeAbilities(source, at, owner),
    ...makeBelongingRows(random, at, characterId),
  ];
}

function makeLooks(random: Random): Row {
  return {
    name: null,
    augenfarbe: random.pick(['grün', 'bernstein', '']),
    haarfarbe: random.pick(['weiß', 'schwarz', null]),
    sonstige: maybeText(random),
    breite: 'schlank',
    groesse: random.pick(['groß', null]),
  };
}

function makeAbilities(source: CharacterSource, at: number, owner: Row): TableRows[] {
  const { random } = source;
  const learned = (rules: readonly Row[], count: number) =>
    list(count, (number) => ({
      id: idOf(at * count + number),
      name: random.pick(rules)['name']!,
      ...owner,
      beschreibung: maybeText(random),
      bonus: random.pick([0, 2, null]),
    }));
  const skill = (row: Row): Row => ({
    ...row,
    fertigkeitswert: random.int(0, 19),
    pp: random.int(0, 3),
    bemerkung: random.pick(['', null, 'gelernt am 3. Tag – ²']),
    improvable: random.pick([0, 1, null]),
    category: random.pick([...skillCategories, '']),
  });
  return [
    { table: 'skill_skills', rows: learned(source.skills, SKILLS).map(skill) },
    { table: 'skill_weaponskills', rows: learned(source.weaponSkills, WEAPON_SKILLS).map(skill) },
    {
      table: 'skill_spells',
      rows: learned(source.spells, SPELLS).map((row) => ({
        ...row,
        quelle: random.pick(['', 'BDW 3']),
      })),
    },
  ];
}
