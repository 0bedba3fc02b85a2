/**
 * Commands of the `mariadb` client that it takes for itself when a statement begins with them.
 * None of them is SQL that may stand in a migration.
 */
export const CLIENT_COMMANDS: ReadonlySet<string> = new Set(
  `? charset clear connect costs edit ego exit go help nopager notee nowarning pager print prompt quit
   rehash sandbox source status system tee use warnings`.split(/\s+/),
);

/** What a DELIMITER line sets, or what is wrong with it. */
export type DelimiterLine = { readonly delimiter: string } | { readonly problem: string };

/** MariaDB: the client keeps 15 bytes and forgets the rest without a word. */
const MAX_BYTES = 15;

/**
 * Reads the rest of a line after the word DELIMITER. As in the client, a space or tab ends the word (behind
 * any other white space it would be no command), and the delimiter reaches up to the next space and
 * may be quoted. Pure.
 */
export function readDelimiterLine(rest: string): DelimiterLine {
  const match = /^[ \t][ \t\v\f\r]*(?:(['"`])(?<quoted>.*?)\1|(?<bare>[^ ]+))(?<after>.*)$/s.exec(
    rest,
  );
  const delimiter = match?.groups?.['quoted'] ?? match?.groups?.['bare'];
  if (delimiter === undefined || delimiter === '') {
    return { problem: 'DELIMITER must be followed by the delimiter' };
  }
  if (delimiter !== delimiter.trim()) {
    return { problem: 'the delimiter may not begin or end with white space' };
  }
  if (/[\\\t\v\f\r]/.test(delimiter)) {
    return { problem: 'the delimiter may not contain a backslash or a tab' };
  }
  if (Buffer.byteLength(delimiter) > MAX_BYTES) {
    return { problem: `the delimiter is longer than ${MAX_BYTES} bytes` };
  }
  const after = match?.groups?.['after']?.trim() ?? '';
  if (after !== '' && !/^(?:#|--\s|--$|\/\*.*\*\/$)/.test(after)) {
    return { problem: 'the client ignores what follows the delimiter on its line' };
  }
  return { delimiter };
}
