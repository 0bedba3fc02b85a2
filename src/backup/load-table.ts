import type { Db } from '../database/connect.ts';
import { loadStatement, readLoadedColumns } from './load-data.ts';
import { insertRows, type RowOptions, sendRows } from './load-rows.ts';
import type { ManifestFile } from './manifest.ts';

export type TableLoaderOptions = RowOptions & {
  /** Drops a table of the set and makes it again, empty. */
  remake(db: Db, table: string): Promise<void>;
};

export type TableLoader = {
  /**
   * Loads one file, and says whether all of its table are loaded. Several connections may load
   * files of one table at the same time.
   *
   * @throws DeployError as `insertRows`
   */
  load(db: Db, file: ManifestFile): Promise<boolean>;
  /** Two connections that load the table would wait for one another. */
  isAlone(table: string | null): boolean;
};

type State = {
  readonly files: readonly ManifestFile[];
  readonly expectedRows: number;
  /** LOAD DATA of the table; null when INSERT is the way. */
  readonly statement: string | null;
  readonly isAlone: boolean;
  left: number;
  /** Those that LOAD DATA took; null when it did not take all of them as they are. */
  rows: number | null;
};

/**
 * Makes the loader of tables that are there and empty. A table that LOAD DATA may not hold exactly is
 * made again and filled by INSERT: with every doubt, when all its files are through.
 */
export async function makeTableLoader(
  dbs: readonly Db[],
  options: TableLoaderOptions,
): Promise<TableLoader> {
  const { files, tables } = options.set.manifest;
  const loads = await readLoads(dbs[0]!);
  const states = new Map<string | null, State>();
  const isRows = ({ kind }: ManifestFile) => kind === 'rows';
  const rowFiles = files.filter(isRows);
  for (const [name, own] of Map.groupBy(rowFiles, ({ table }) => table)) {
    const table = tables.find((each) => each.name === name);
    const load = table?.writer === 'mariadb-dump' ? loads.get(table.name) : undefined;
    const isTooLarge = sizeOf(own) > mostAlone(sizeOf(rowFiles), dbs.length);
    const isUsed = load !== undefined && !(load.isAlone && isTooLarge);
    const { statement, isAlone } = isUsed ? load : { statement: null, isAlone: false };
    states.set(name, {
      ...{ files: own, expectedRows: table?.rows ?? 0, statement, isAlone },
      ...{ left: own.length, rows: 0 },
    });
  }
  const load = async (db: Db, file: ManifestFile) => {
    const state = states.get(file.table)!;
    const { statement } = state;
    const { table } = file;
    if (statement === null || table === null) await insertRows(db, file, options);
    else if (state.rows !== null) {
      const rows = await sendRows(db, { ...file, table }, { ...options, statement });
      state.rows = rows === null || state.rows === null ? null : state.rows + rows;
    }
    state.left--;
    if (state.left > 0) return false;
    if (statement === null || table === null || state.rows === state.expectedRows) return true;
    await options.remake(db, table);
    for (const each of state.files) await insertRows(db, each, { ...options, note: () => {} });
    return true;
  };
  return { load, isAlone: (table) => states.get(table)?.isAlone === true };
}

type Load = { readonly statement: string; readonly isAlone: boolean };

/** How each table is loaded by LOAD DATA: none where the server forbids it. */
async function readLoads(db: Db): Promise<Map<string, Load>> {
  const row = await db.one<{ allowed: string }>('SELECT @@local_infile AS allowed');
  if (Number(row?.allowed) !== 1) return new Map();
  const columns = await readLoadedColumns(db);
  return new Map(
    [...columns].flatMap(([table, own]): [string, Load][] => {
      const statement = loadStatement(table, own);
      // MariaDB: each LOAD DATA locks the counter of its table until it ends.
      const isAlone = own.some(({ makes }) => makes === 'number');
      return statement === null ? [] : [[table, { statement, isAlone }]];
    }),
  );
}

/**
 * Of so many bytes, how many one connection may load alone by LOAD DATA before all of them together
 * are faster by INSERT, which takes half as long again.
 */
function mostAlone(bytes: number, connections: number): number {
  return bytes / (connections - 0.5);
}

function sizeOf(files: readonly ManifestFile[]): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
