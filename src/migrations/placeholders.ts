/** Strings, names and comments: a `?` in them is no placeholder. */
const quoted =
  /'(?:\\.|''|[^'\\])*'|"(?:\\.|""|[^"\\])*"|`(?:``|[^`])*`|--[ \t\n][^\n]*|#[^\n]*|\/\*[\s\S]*?\*\/|\?/g;

/** Cuts a statement at its placeholders: n of them give n + 1 parts. Pure. */
export function splitAtPlaceholders(statement: string): string[] {
  const parts: string[] = [];
  let begin = 0;
  for (const match of statement.matchAll(quoted)) {
    if (match[0] !== '?') continue;
    parts.push(statement.slice(begin, match.index));
    begin = match.index + 1;
  }
  parts.push(statement.slice(begin));
  return parts;
}
