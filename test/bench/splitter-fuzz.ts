/**
 * Sends thousands of generated scripts through the real `mariadb` client and through our splitter:
 * `npm run bench -- splitter-fuzz [count] [first seed]`. Fails when the two disagree or a script
 * that fits the rules is refused.
 */
import { startDifferential } from '../support/client-differential.ts';
import { damageScript, generateScript } from '../support/script-generator.ts';
import { type Bench, timed } from './frame.ts';

export const bench: Bench = {
  name: 'splitter-fuzz',
  title: 'Splitter against the client of the server',
  async run(context) {
    const count = Number(context.args[0] ?? 5000);
    const first = Number(context.args[1] ?? 1);
    const differential = await startDifferential(context);
    const counts = { statements: 0, refused: 0 };
    const failures: string[] = [];
    const ms = await timed(() => {
      for (let seed = first; seed < first + count; seed++) {
        const script = generateScript(seed);
        // Every other script is a damaged one, where refusing is right more often than not.
        const isDamaged = seed % 2 === 0;
        const tried = isDamaged ? damageScript(script, seed) : script;
        const outcome = differential.compare(tried);
        if (outcome.kind === 'same') counts.statements += outcome.statements;
        if (outcome.kind === 'refused') counts.refused++;
        if (outcome.kind === 'different' || (outcome.kind === 'refused' && !isDamaged)) {
          failures.push(JSON.stringify({ seed, damaged: isDamaged, script: tried, outcome }));
        }
      }
    });
    return {
      columns: ['generated scripts', 'statements', 'refused', 'different', 'scripts a second'],
      rows: [
        [
          `${count}, from seed ${first}`,
          `${counts.statements}`,
          `${counts.refused}`,
          `${failures.length}`,
          (count / (ms / 1000)).toFixed(0),
        ],
      ],
      notes: [
        'Each script goes through the `mariadb` client and through the splitter; the general log of a server ' +
          'tells what the client sent. Every other script is damaged: there, refusing is right more often than not.',
      ],
      failures,
    };
  },
};
