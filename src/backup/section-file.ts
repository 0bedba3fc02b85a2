/**
 * The format of `structure.sql` and `objects.sql`: SQL that a stock client loads, and that this
 * program takes apart again without having to understand SQL.
 *
 * One DELIMITER, which occurs in no statement of the file, stands alone on the line after each
 * statement. A section is the statements of one object; a comment line `-- {"key": …}` before its
 * first statement names it. Statements before the first such line are the file's own session.
 * Pure.
 */
export type Section = {
  /** e.g. `trigger:x`; null for the statements at the beginning of a file. */
  readonly key: string | null;
  readonly statements: readonly string[];
};

/** The file's text. `title` becomes its first comment line. */
export function formatSections(title: string, sections: readonly Section[]): string {
  const delimiter = chooseDelimiter(sections);
  const parts = [`-- ${title.replaceAll('\n', ' ')}`, `DELIMITER ${delimiter}`];
  for (const { key, statements } of sections) {
    if (key !== null) parts.push(`-- ${JSON.stringify({ key })}`);
    for (const statement of statements) parts.push(statement, delimiter);
  }
  return `${parts.join('\n')}\n`;
}

/** The sections of a file's text; the other way round. Throws a plain Error on a foreign text. */
export function parseSections(content: string): Section[] {
  const head = /^-- .*\nDELIMITER (\S+)\n/.exec(content);
  if (head === null) throw new Error('the file does not begin with a DELIMITER line');
  const chunks = content.slice(head[0].length).split(`\n${head[1]}\n`);
  // What comes after the last delimiter is empty, unless the file was cut off.
  if (chunks.pop() !== '') throw new Error('the file ends within a statement');
  const sections: { key: string | null; statements: string[] }[] = [];
  for (const chunk of chunks) {
    const named = /^-- (\{.*\})\n/.exec(chunk);
    const key = named?.[1] === undefined ? null : (JSON.parse(named[1]) as { key: string }).key;
    if (key !== null || sections.length === 0) sections.push({ key, statements: [] });
    sections.at(-1)?.statements.push(chunk.slice(named?.[0].length ?? 0));
  }
  return sections;
}

/** The client allows 15 bytes. `$$` first, because people know it. */
function chooseDelimiter(sections: readonly Section[]): string {
  const texts = sections.flatMap((section) => section.statements);
  for (let n = 0; ; n++) {
    const delimiter = n === 0 ? '$$' : `$$${n}$$`;
    if (!texts.some((statement) => statement.includes(delimiter))) return delimiter;
  }
}
