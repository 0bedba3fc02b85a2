/**
 * What a bench is. Every other `test/bench/<name>.ts` exports one as `bench`; `npm run bench`
 * runs them all, `npm run bench -- <name>` one, and `--write` puts the tables into
 * docs/benchmarks.md. Times are shown, never asserted: ratios to a peer in the same run are what
 * two machines have in common.
 */

export type Bench = {
  /** The name of the file: on the command line, and of the section in docs/benchmarks.md. */
  readonly name: string;
  /** Heading of the section. */
  readonly title: string;
  /** Measures, and gives what is to be shown. What it throws ends this bench and fails the command. */
  run(context: BenchContext): Promise<BenchTable>;
};

export type BenchContext = {
  /** The words after the bench's name on the command line, e.g. how many rounds. */
  readonly args: readonly string[];
  /** An empty folder on the disk, not in memory; removed afterwards. */
  readonly dir: string;
  /** Runs `cleanup` when the bench has ended, the newest first: fits `startTestServer` and `makeSite`. */
  after(cleanup: () => Promise<void>): void;
  /** Installs npm packages into a folder of its own outside the repository: peers are no dependencies. */
  installPeers(packages: readonly string[]): Promise<Peers>;
  /** Says on stderr what goes on. */
  say(text: string): void;
};

export type Peers = {
  /** The folder that has `node_modules`. */
  readonly dir: string;
  /** Installed versions by package, for `BenchTable.versions`. */
  readonly versions: Readonly<Record<string, string>>;
};

export type BenchTable = {
  /** Headings. The first column names what was measured, the others are numbers. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What was done, what the aim is, where the time goes: a paragraph each. */
  readonly notes: readonly string[];
  /** Of what was measured, besides Node and MariaDB, which are always shown. */
  readonly versions?: Readonly<Record<string, string>>;
  /** What came out wrong, as opposed to slow: fails the command. */
  readonly failures?: readonly string[];
};

/** The middle of some numbers; of an even count the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
}

/** How long `work` takes, in milliseconds. */
export async function timed(work: () => unknown): Promise<number> {
  const begunAt = performance.now();
  await work();
  return performance.now() - begunAt;
}

/**
 * Measures several candidates in turn, so that a noisy moment hits them all, and gives the times
 * of each in milliseconds. Each candidate gives its own time (see `timed`). A first round warms
 * up and does not count.
 */
export async function measureInTurn<Name extends string>(
  rounds: number,
  candidates: Readonly<Record<Name, () => Promise<number>>>,
): Promise<Readonly<Record<Name, readonly number[]>>> {
  const names = Object.keys(candidates) as Name[];
  const times = Object.fromEntries(
    names.map((name) => [name, [] as number[]]),
  ) as unknown as Record<Name, number[]>;
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const ms = await candidates[name]();
      if (round > 0) times[name].push(ms);
    }
  }
  return times;
}

/** `412 ms` or `12.3 s`. */
export function formatMs(ms: number): string {
  return ms < 1000
    ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms`
    : `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}

/** `1.27 ×`: how many times as long as `base`. */
export function formatRatio(ms: number, base: number): string {
  return `${(ms / base).toFixed(2)} ×`;
}
