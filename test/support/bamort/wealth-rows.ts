import { idOf } from './ids.ts';
import type { Random } from './random.ts';
import type { Row, Value } from './table-rows.ts';

/** How the amounts of a character are spread over the two sets of columns of the legacy schema. */
export const wealthKinds = [
  'ascii only',
  'umlaut only',
  'both equal',
  'both different',
  'zero and null',
  'one coin different',
  'none',
] as const;

export type WealthKind = (typeof wealthKinds)[number];

/** Makes the row of legacy `char_wealth` of character number `at`. */
export function makeWealth(random: Random, at: number, characterId: number | null): Row {
  const amounts = [random.int(1, 900), random.int(1, 900), random.int(1, 900)] as const;
  const [umlaut, ascii] = spread(wealthKinds[at % wealthKinds.length]!, amounts);
  return {
    id: idOf(at),
    name: null,
    character_id: characterId,
    user_id: at % 3 === 0 ? 0 : null,
    goldstücke: umlaut[0],
    silberstücke: umlaut[1],
    kupferstücke: umlaut[2],
    goldstuecke: ascii[0],
    silberstuecke: ascii[1],
    kupferstuecke: ascii[2],
  };
}

type Coins = readonly [Value, Value, Value];
const noCoins: Coins = [null, null, null];

function spread(kind: WealthKind, amounts: readonly [number, number, number]): [Coins, Coins] {
  const [gold, silver, copper] = amounts;
  switch (kind) {
    case 'ascii only':
      return [noCoins, amounts];
    case 'umlaut only':
      return [amounts, noCoins];
    case 'both equal':
      return [amounts, amounts];
    case 'both different':
      return [amounts, [gold + 1, 0, copper - 1]];
    case 'zero and null':
      return [
        [0, null, 0],
        [null, 0, 0],
      ];
    case 'one coin different':
      return [amounts, [gold, silver + 7, null]];
    case 'none':
      return [noCoins, noCoins];
  }
}
