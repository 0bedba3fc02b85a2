/** The documents that mirror the code, and how they are made of it. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodes } from '../src/cli/exit-codes.ts';
import { renderEnvTable } from '../src/config/env-help.ts';
import { catalogue } from '../src/errors/catalogue.ts';

/** Gives the text that each generated document must have, by its path from the root. */
export function renderDocuments(root: string): ReadonlyMap<string, string> {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  return new Map([
    ['docs/errors.md', renderErrors()],
    [
      'README.md',
      [
        ['commands', renderCommands(root)],
        ['environment', renderEnvTable()],
        ['exit codes', renderExitCodes()],
      ].reduce((text, [name = '', content = '']) => replaceBetween(text, name, content), readme),
    ],
  ]);
}

function renderErrors(): string {
  const codes = Object.entries(catalogue).map(([code, { exitCode, meaning, next }]) =>
    [
      `## ${code.toLowerCase()}`,
      '',
      `\`${code}\` · ${renderExitCode(exitCode)}`,
      '',
      meaning,
      '',
      'What to do:',
      '',
      ...next.map((step) => `- ${step}`),
    ].join('\n'),
  );
  return `${errorsHead}\n${codes.join('\n\n')}\n`;
}

const errorsHead = `# Errors

<!-- Made from src/errors/catalogue.ts by \`npm run docs\`. Do not edit. -->

Every failure that this program can explain has a code. It stands in the last line of the failure text,
in the report and in the JSON, and it never changes its meaning. The text itself may become better.

The line \`database\` of the failure text says where the database is now. The exit codes from 20 on belong to
the *outcome* of a run that had begun to change the database: 20 when everything was put back, 21 when it
was left as it is, 22 when it could not be put back, 23 when the next \`up\` finishes or puts back. So any code
below can come with one of these instead of its own.
`;

function renderExitCode(exitCode: number): string {
  return exitCode >= 20 ? 'exit code of the outcome: 20 to 23' : `exit code ${exitCode}`;
}

/** The help as the program prints it, in the width of a pipe. */
function renderCommands(root: string): string {
  const help = execFileSync(process.execPath, ['src/main.ts', 'help'], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  const commands = help.slice(help.indexOf('Commands:\n') + 'Commands:\n'.length).trimEnd();
  return `\`\`\`text\n${commands}\n\`\`\``;
}

function renderExitCodes(): string {
  const rows = [...exitCodes].map(([code, meaning]) => `| ${code} | ${meaning} |`);
  return ['| code | meaning |', '|---|---|', ...rows].join('\n');
}

/** Puts `content` between `<!-- begin name -->` and `<!-- end name -->`, which must be there. */
function replaceBetween(text: string, name: string, content: string): string {
  const pattern = new RegExp(`(<!-- begin ${name} -->\n).*?(<!-- end ${name} -->)`, 's');
  if (!pattern.test(text)) throw new Error(`there are no marks of "${name}"`);
  return text.replace(pattern, (_, begin: string, end: string) => `${begin}${content}\n${end}`);
}
