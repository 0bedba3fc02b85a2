/** Who writes which rows at the same time. Pure. */

export type PlannedTable = {
  readonly name: string;
  /** As the server estimates it. */
  readonly dataBytes: number;
  readonly writer: 'mariadb-dump' | 'own';
};

/** Rows of one table that are written into one file. */
export type RowPart = {
  readonly table: string;
  /** Condition on the primary key; null for the whole table. */
  readonly where: string | null;
  /** Number of the part among those of its table, from 1; null for the whole table. */
  readonly part: number | null;
  readonly dataBytes: number;
};

export type DumpPlan = {
  /** One `mariadb-dump` each: whole tables, or one part of a large one. */
  readonly dumps: readonly (readonly RowPart[])[];
  /** Written by our own writer, largest first. */
  readonly own: readonly RowPart[];
};

const MIB = 1024 * 1024;

/** No part is smaller: a process and a snapshot of its own would cost more than they give. */
const LEAST_PART_BYTES = 24 * MIB;

/** All snapshots are opened while writers wait, so there are not many. */
const MOST_PARTS = 8;
const MOST_LANES = 4;

/** Into how many parts each large table is to be cut, by name; small ones are not in it. */
export function partsOfTables(
  tables: readonly Pick<PlannedTable, 'name' | 'dataBytes'>[],
  leastPartBytes = LEAST_PART_BYTES,
): Map<string, number> {
  const target = Math.max(leastPartBytes, totalOf(tables) / MOST_PARTS);
  const parts = tables.map(
    ({ name, dataBytes }) => [name, Math.round(dataBytes / target)] as const,
  );
  return new Map(parts.filter(([, count]) => count > 1));
}

/**
 * Plans the dump of tables of which the large ones are cut by `ranges`. Small tables share a few
 * processes so that each has about the same to do.
 */
export function planDump(
  tables: readonly PlannedTable[],
  ranges: ReadonlyMap<string, readonly string[]>,
  leastPartBytes = LEAST_PART_BYTES,
): DumpPlan {
  const partsOf = ({ name, dataBytes }: PlannedTable): RowPart[] => {
    const own = ranges.get(name);
    if (own === undefined) return [{ table: name, where: null, part: null, dataBytes }];
    const size = dataBytes / own.length;
    return own.map((where, index) => ({ table: name, where, part: index + 1, dataBytes: size }));
  };
  const ofWriter = (writer: PlannedTable['writer']) =>
    bySize(tables.filter((table) => table.writer === writer).flatMap(partsOf));
  const dumped = ofWriter('mariadb-dump');
  const whole = dumped.filter(({ where }) => where === null);
  const cut = dumped.filter(({ where }) => where !== null);
  return {
    dumps: [...cut.map((part) => [part]), ...lanes(whole, leastPartBytes)],
    own: ofWriter('own'),
  };
}

/** Deals parts out, largest first, always to the lane that has least. */
function lanes(parts: readonly RowPart[], leastPartBytes: number): RowPart[][] {
  const wanted = Math.ceil(totalOf(parts) / leastPartBytes);
  const count = Math.min(parts.length, MOST_LANES, Math.max(1, wanted));
  const all = Array.from({ length: count }, () => ({ bytes: 0, parts: [] as RowPart[] }));
  for (const part of parts) {
    const least = all.reduce((a, b) => (b.bytes < a.bytes ? b : a));
    least.parts.push(part);
    least.bytes += part.dataBytes;
  }
  return all.map((lane) => lane.parts);
}

function bySize(parts: readonly RowPart[]): RowPart[] {
  return parts.toSorted((a, b) => b.dataBytes - a.dataBytes || (a.table < b.table ? -1 : 1));
}

function totalOf(parts: readonly { readonly dataBytes: number }[]): number {
  return parts.reduce((sum, { dataBytes }) => sum + dataBytes, 0);
}
