import { idOf } from './ids.ts';
import type { Random } from './random.ts';
import { describe, list } from './rule-rows.ts';
import type { Row, TableRows } from './table-rows.ts';
import { thingName } from './texts.ts';

/** Makes the goods that can be bought. `weaponSkills` are the rows of gsm_weaponskills. */
export function makeGoodRows(random: Random, weaponSkills: readonly Row[]): TableRows[] {
  const good = (at: number): Row => ({
    id: idOf(at),
    game_system: 'midgard',
    name: thingName(random, at),
    ...describe(random),
    gewicht: random.pick([0, 0.1, 2.5, 12.75, null]),
    wert: random.pick([0, 0.01, 3, 1250.5, null]),
    personal_item: random.pick([0, 1]),
  });
  const container = (at: number): Row => ({
    ...good(at),
    tragkraft: random.pick([5, 20.5, null]),
    volumen: random.pick([10, 0.3, null]),
  });
  const weapon = (at: number): Row => ({
    ...good(at),
    skill_required: requiredSkill(weaponSkills, at),
    damage: random.pick(['1W6', '1W6-1', '2W6+1', '']),
    range_near: at % 4 === 0 ? 0 : null,
    range_middle: at % 4 === 0 ? 10 : null,
    range_far: at % 4 === 0 ? 30 : null,
  });
  return [
    { table: 'gsm_equipments', rows: list(82, good) },
    { table: 'gsm_weapons', rows: list(28, weapon) },
    { table: 'gsm_containers', rows: list(12, container) },
    { table: 'gsm_transportations', rows: list(3, container) },
  ];
}

// Three weapons still say 'check'; others name their skill with a ligature where it has two letters.
function requiredSkill(weaponSkills: readonly Row[], at: number): string {
  if (at < 3) return 'check';
  return String(weaponSkills[at % weaponSkills.length]!['name']).replace('ff', 'ﬀ');
}
