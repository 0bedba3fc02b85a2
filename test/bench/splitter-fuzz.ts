/**
 * Sends thousands of generated scripts through the real `mariadb` client and through our splitter:
 * `node test/bench/splitter-fuzz.ts [count] [first seed]`. Prints counts; exit 1 when the two
 * disagree or a script that fits the rules is refused.
 */
import { startDifferential } from '../support/client-differential.ts';
import { damageScript, generateScript } from '../support/script-generator.ts';

const count = Number(process.argv[2] ?? 5000);
const first = Number(process.argv[3] ?? 1);

const cleanups: (() => Promise<void>)[] = [];
const differential = await startDifferential({ after: (cleanup) => cleanups.push(cleanup) });
const counts = { scripts: 0, statements: 0, refused: 0, failed: 0 };
try {
  for (let seed = first; counts.scripts < count; seed++) {
    const script = generateScript(seed);
    // Every other script is a damaged one, where refusing is right more often than not.
    const isDamaged = seed % 2 === 0;
    const tried = isDamaged ? damageScript(script, seed) : script;
    const outcome = differential.compare(tried);
    counts.scripts++;
    if (outcome.kind === 'same') counts.statements += outcome.statements;
    if (outcome.kind === 'refused') counts.refused++;
    if (outcome.kind === 'different' || (outcome.kind === 'refused' && !isDamaged)) {
      counts.failed++;
      print({ seed, damaged: isDamaged, script: tried, outcome });
    }
  }
} finally {
  for (const cleanup of cleanups) await cleanup();
}
print({ first_seed: first, ...counts });
process.exitCode = counts.failed === 0 ? 0 : 1;

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
