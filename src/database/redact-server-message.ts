/** Takes the values of rows out of the server's error messages. Names stay. Pure. */

const GONE = '…';

type Rule = readonly [pattern: RegExp, replacement: string];

/** Error numbers whose message holds a value, with what to keep of it. */
const rules: Readonly<Record<number, readonly Rule[]>> = {
  // Duplicate entry '%s' for key '%s'
  1062: [[/^Duplicate entry '.*' for key/s, `Duplicate entry ${GONE} for key`]],
  1586: [[/^Duplicate entry '.*' for key/s, `Duplicate entry ${GONE} for key`]],
  // Invalid %s character string: '%s'
  1300: [[/: '.*'$/s, `: ${GONE}`]],
  // Table has no partition for value %s
  1526: [[/for value .*$/s, `for value ${GONE}`]],
  // %s value is out of range in '%s'
  1690: [[/out of range in '.*'$/s, `out of range in ${GONE}`]],
  // The text of a SIGNAL is its author's; what it quotes may be data.
  1644: [[/['"].*['"]/s, GONE]],
  // Foreign key constraint for table '%s', record '%s' would lead to …
  1761: [[/record '.*' would/s, `record ${GONE} would`]],
  1762: [[/record '.*' would/s, `record ${GONE} would`]],
  // Cannot convert '%s' character 0x%s to '%s'
  1977: [[/character 0x[0-9A-F]+/i, `character ${GONE}`]],
};

/** Shapes that stand for a value whatever the number: 1292, 1366, 1367, 1411, 1525 and their kind. */
const general: readonly Rule[] = [
  [/\bvalue: '.*'(?= for (?:column|function)\b)/s, `value: ${GONE}`],
  [/\bvalue: '.*'$/s, `value: ${GONE}`],
  [/\bvalue: '.*'/s, `value: ${GONE}`],
  [/\bIllegal (.+?) '.*' value found/s, `Illegal $1 ${GONE} value found`],
  [/\bDuplicate entry '.*' for key/s, `Duplicate entry ${GONE} for key`],
];

/** The message without values of rows. `errno` is null for an error that is not the server's. */
export function redactServerMessage(errno: number | null, message: string): string {
  if (errno === 1064) return message.replace(/near '(.*)' at line/s, keepFirstWords);
  let text = message;
  for (const [pattern, replacement] of [...(rules[errno ?? 0] ?? []), ...general]) {
    text = text.replace(pattern, replacement);
  }
  return text;
}

/** … near '%s' at line %d: the first words help; a literal among them may be data. */
function keepFirstWords(_match: string, near: string): string {
  const words =
    near
      .split(/['"]|\b\d/, 1)[0]
      ?.slice(0, 40)
      .trimEnd() ?? '';
  return `near '${words}${words === near ? '' : GONE}' at line`;
}
