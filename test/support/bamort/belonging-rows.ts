import { idOf } from './ids.ts';
import type { Random } from './random.ts';
import { list } from './rule-rows.ts';
import type { Row, TableRows } from './table-rows.ts';
import { longText, maybeText, thingName } from './texts.ts';

const PER_CHARACTER = { equipments: 5, weapons: 3, containers: 1 } as const;

/** Makes what one character carries. `at` is the number of the character, from 0. */
export function makeBelongingRows(random: Random, at: number, characterId: number): TableRows[] {
  const rows = (count: number, make: (id: number) => Row) =>
    list(count, (number) => make(idOf(at * count + number)));
  const container = at % 2 === 0 ? idOf(at) : 0;
  const thing = (id: number): Row => ({
    id,
    name: thingName(random, id),
    character_id: characterId,
    ist_magisch: random.pick([0, 1]),
    abw: random.pick([0, 30, null]),
    ausgebrannt: random.pick([0, 0, 1]),
    beschreibung: maybeText(random),
    beinhaltet_in: random.pick(['Säckchen', '', null]),
    contained_in: random.pick([0, container, null]),
    gewicht: random.pick([0, 0.1, 0.30000000000000004, 12.5]),
    wert: random.pick([0, 1e-3, 1250.75, null]),
    user_id: random.pick([0, 1, null]),
  });
  const kept = () => ({
    anzahl: random.int(1, 20),
    container_type: random.pick(['container', '']),
  });
  return [
    {
      table: 'equi_containers',
      rows: rows(PER_CHARACTER.containers, (id) => ({
        ...thing(id),
        is_transportation: random.pick([0, 1]),
        tragkraft: 30.5,
        volumen: random.pick([0, 40]),
        ext_id: random.pick([`moam-container-${id}`, '']),
      })),
    },
    {
      table: 'equi_equipments',
      rows: rows(PER_CHARACTER.equipments, (id) => ({ ...thing(id), ...kept(), bonus: 0 })),
    },
    {
      table: 'equi_weapons',
      rows: rows(PER_CHARACTER.weapons, (id) => ({
        ...thing(id),
        ...kept(),
        abwb: 0,
        anb: random.int(-1, 2),
        schb: random.int(-1, 2),
        name_fuer_spezialisierung: random.pick(['Würfelaﬀe', longText(random).slice(0, 20)]),
      })),
    },
  ];
}
