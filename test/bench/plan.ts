/** Planning with thousands of files and tables: `npm run bench -- plan [rounds]`. */
import path from 'node:path';
import { makeSite } from '../support/deploy.ts';
import { startTestServer } from '../support/server.ts';
import { type Bench, formatMs, measureInTurn, median, timed } from './frame.ts';

/** How many files and tables there are: growth must be that of the files and tables, not of their product. */
const sizes = [500, 1000, 2000] as const;
const pending = 3;

const padded = (number: number) => String(number).padStart(5, '0');

export const bench: Bench = {
  name: 'plan',
  title: 'Planning with many files and tables',
  async run(context) {
    const rounds = Number(context.args[0] ?? 3);
    const server = await startTestServer(context, { bufferPoolMb: 256 });
    const rows: string[][] = [];
    for (const size of sizes) {
      context.say(`${size} files`);
      const tables = size / 2;
      const files = Object.fromEntries(
        Array.from({ length: size }, (_, at) => [
          `1.0.0/${padded(at + 1)}_step.up.sql`,
          at < tables
            ? `CREATE TABLE t${at} (id int PRIMARY KEY, name varchar(40), KEY (name));\n`
            : `INSERT INTO t${at - tables} (id) VALUES (${at});\n`,
        ]),
      );
      // The whole in one go is what a fresh installation is: the migrations are then recorded.
      const schema = Object.values(files).slice(0, tables).join('');
      const site = await makeSite(context, server, { ...files, 'schema.sql': schema });
      const installed = await site.deploy(['up'], { VALIDATE: 'off', SAFETY_NET: 'off' });
      if (installed.code !== 0) throw new Error(installed.stderr);
      const more = Object.fromEntries(
        Array.from({ length: pending }, (_, at) => [
          `1.1.0/${padded(size + at + 1)}_more.up.sql`,
          `ALTER TABLE t${at} ADD COLUMN note${at} text;\n`,
        ]),
      );
      const noop = await measureInTurn(rounds, { up: () => timed(() => site.deploy(['up'])) });
      await site.write(more);
      const plan = await measureInTurn(rounds, {
        plan: () =>
          timed(async () => {
            const ended = await site.deploy(['plan']);
            if (ended.code !== 30) throw new Error(ended.stderr + ended.stdout);
          }),
      });
      rows.push([
        `${size} files, ${tables} tables`,
        formatMs(median(noop.up)),
        formatMs(median(plan.plan)),
        `${(median(plan.plan) / size).toFixed(2)} ms`,
      ]);
      await site.write(Object.fromEntries(Object.keys(more).map((name) => [name, null])));
      context.say(path.basename(site.dir));
    }
    return {
      columns: ['applied', 'up, nothing to do', `plan, ${pending} pending`, 'plan, for each file'],
      rows,
      notes: [
        `Whole processes, medians of ${rounds} rounds. A plan reads the whole structure, starts a scratch server, ` +
          'copies what the pending statements can touch and tries them there. The aim is 2 s with 2,000 files and ' +
          '1,000 tables; the last column shows that the growth is linear.',
      ],
    };
  },
};
