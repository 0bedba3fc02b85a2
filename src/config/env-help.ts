import { groups, hasFileForm, type VariableName, variable, variableNames } from './variables.ts';

/** Gives the text of `deploy help env`: every variable with its default and meaning. */
export function renderEnvHelp(): string {
  const parts = Object.entries(groups).map(([group, title]) => {
    const names = variableNames.filter((name) => variable(name).group === group);
    return [title, '', ...names.flatMap(renderVariable)].join('\n');
  });
  const files =
    'A variable marked with * can also be read from a file: set NAME_FILE to its path instead of NAME.';
  return `${parts.join('\n\n')}\n\n${files}\n`;
}

function renderVariable(name: VariableName): string[] {
  const byDefault = defaultOf(name);
  const head = `${name}${hasFileForm(name) ? ' *' : ''}`.padEnd(24);
  const tail = byDefault === null ? '' : ` (default: ${byDefault})`;
  const [first = '', ...others] = wrap(`${meaningOf(name)}${tail}`, 72);
  return [`  ${head}  ${first}`, ...others.map((line) => `${' '.repeat(28)}${line}`)];
}

/** Gives the same as a Markdown table, for the README. */
export function renderEnvTable(): string {
  const rows = variableNames.map((name) => {
    const names = hasFileForm(name) ? `\`${name}\` \\*` : `\`${name}\``;
    const byDefault = defaultOf(name);
    return `| ${names} | ${byDefault ?? '–'} | ${meaningOf(name)} |`;
  });
  return ['| name | default | meaning |', '|---|---|---|', ...rows].join('\n');
}

function meaningOf(name: VariableName): string {
  const { description, parse } = variable(name);
  return parse.choices === undefined ? description : `${parse.choices.join(', ')}: ${description}`;
}

function defaultOf(name: VariableName): string | null {
  const { default: byDefault, defaultText } = variable(name);
  return defaultText ?? (byDefault === '' ? null : byDefault);
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
