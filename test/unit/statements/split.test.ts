import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DeployError } from '../../../src/errors/deploy-error.ts';
import { decodeScript, splitStatements } from '../../../src/statements/split.ts';
import type { Quoting } from '../../../src/statements/tokens.ts';

const sqlOf = (text: string, options?: Quoting) =>
  splitStatements(text, 'f.sql', options).map(({ sql }) => sql);

function refusal(text: string, options?: Quoting): string {
  try {
    splitStatements(text, 'f.sql', options);
  } catch (error) {
    assert.ok(error instanceof DeployError);
    assert.equal(error.code, 'MIGRATION_FILE_INVALID');
    return `${error.where} ${error.message}`;
  }
  assert.fail(`was not refused: ${text}`);
}

describe('splitStatements', () => {
  const cases: readonly [name: string, text: string, expected: readonly string[]][] = [
    ['splits at semicolons', 'SELECT 1; SELECT 2;', ['SELECT 1', 'SELECT 2']],
    [
      'takes the last statement without its semicolon',
      'SELECT 1;\nSELECT 2\n',
      ['SELECT 1', 'SELECT 2'],
    ],
    ['gives nothing for an empty file', '', []],
    [
      'gives nothing for white space, comments and empty statements',
      ' ;; -- a\n# b\n/* c; */ ;\t',
      [],
    ],
    ['skips a byte order mark', '\uFEFFSELECT 1;', ['SELECT 1']],
    [
      'reads \\r\\n as \\n, also in strings',
      "SELECT 'a\r\nb';\r\nSELECT 2;\r\n",
      ["SELECT 'a\nb'", 'SELECT 2'],
    ],
    [
      'keeps every other \\r, which ends no comment',
      "SELECT 'a\rb\r\r\nc',\r`d\re` -- f\r;\n;",
      ["SELECT 'a\rb\r\nc',\r`d\re`"],
    ],
    [
      'keeps a word behind a comment and the line after one that begins with delimiter',
      'SELECT 1 AS /* a */größe,\ndelimiter_x\n+ 1;',
      ['SELECT 1 AS /* a */größe,\ndelimiter_x\n+ 1'],
    ],
    ['keeps semicolons in single quotes', "SELECT ';';", ["SELECT ';'"]],
    ['keeps semicolons in double quotes', 'SELECT ";";', ['SELECT ";"']],
    ['keeps semicolons in backticks', 'SELECT `;`;', ['SELECT `;`']],
    [
      'knows doubled quotes',
      'SELECT \'a\'\';\' , "b"";", `c``;`; SELECT 2',
      ['SELECT \'a\'\';\' , "b"";", `c``;`', 'SELECT 2'],
    ],
    [
      'knows other quotes inside quotes',
      `SELECT '";', "';", '\`'; SELECT 2`,
      [`SELECT '";', "';", '\`'`, 'SELECT 2'],
    ],
    [
      'knows backslash escapes in strings',
      String.raw`SELECT '\';', "\";", '\\'; SELECT 2`,
      [String.raw`SELECT '\';', "\";", '\\'`, 'SELECT 2'],
    ],
    [
      'knows no backslash escapes in backticks',
      'SELECT `\\`; SELECT 2',
      ['SELECT `\\`', 'SELECT 2'],
    ],
    ['passes \\N on', 'SELECT \\N;', ['SELECT \\N']],
    [
      'drops comments before a statement and keeps those inside',
      '/* a */ -- b\nSELECT /* ; */ 1 -- ;\n , 2 # ;\n; # end',
      ['SELECT /* ; */ 1 -- ;\n , 2'],
    ],
    ['needs white space after --', 'SELECT 5--1; SELECT 2', ['SELECT 5--1', 'SELECT 2']],
    ['ends a -- comment at the end of the file', 'SELECT 1; --', ['SELECT 1']],
    ['needs no white space after -- where a statement begins', '--x; y\nSELECT 1;', ['SELECT 1']],
    ['takes # without white space', 'SELECT 1 #;\n+ 1;', ['SELECT 1 #;\n+ 1']],
    [
      'keeps executable comments as code',
      "/*!50003 SELECT ';' */; /*M!100100 SELECT 2 */;",
      ["/*!50003 SELECT ';' */", '/*M!100100 SELECT 2 */'],
    ],
    [
      'allows a comment on a later line of an executable comment',
      '/*!50003 SELECT\n/* ; */ 1 */;',
      ['/*!50003 SELECT\n/* ; */ 1 */'],
    ],
    [
      'takes the sandbox line of mariadb-dump for a comment',
      '/*M!999999\\- enable the sandbox mode */ \nSELECT 1;',
      ['SELECT 1'],
    ],
    ['does not end a comment at a quote', "/* it's */ SELECT 1;", ['SELECT 1']],
    ['does not take */ outside for an end', 'SELECT 2*/*x*/3;', ['SELECT 2*/*x*/3']],
    [
      'changes the delimiter',
      'DELIMITER //\nSELECT 1; SELECT 2//\nDELIMITER ;\nSELECT 3;',
      ['SELECT 1; SELECT 2', 'SELECT 3'],
    ],
    [
      'takes DELIMITER in any case and indented',
      '  dElImItEr\t$$\nSELECT 1;$$\nSELECT 2$$',
      ['SELECT 1;', 'SELECT 2'],
    ],
    [
      'takes a delimiter of one letter',
      'DELIMITER x\nSELECT 1x SELECT 2x',
      ['SELECT 1', 'SELECT 2'],
    ],
    [
      'finds the delimiter inside a word',
      'DELIMITER $$\nSELECT END$$SELECT 2$$',
      ['SELECT END', 'SELECT 2'],
    ],
    [
      'takes a delimiter outside ASCII',
      'DELIMITER §§\nSELECT 1;§§\nSELECT 2§§',
      ['SELECT 1;', 'SELECT 2'],
    ],
    [
      'takes a quoted delimiter',
      "DELIMITER '$ $'\nSELECT 1$ $ SELECT 2$ $",
      ['SELECT 1', 'SELECT 2'],
    ],
    [
      'allows a comment behind the delimiter',
      'DELIMITER // -- for the trigger\nSELECT 1//',
      ['SELECT 1'],
    ],
    [
      'lets the delimiter go before comments',
      'DELIMITER #\nSELECT 1# SELECT 2#',
      ['SELECT 1', 'SELECT 2'],
    ],
    [
      'lets the delimiter -- go before comments',
      'DELIMITER --\n-- SELECT 1-- SELECT 2--',
      ['SELECT 1', 'SELECT 2'],
    ],
    [
      'does not look for the delimiter in strings and comments',
      "DELIMITER //\nSELECT '//' /* // */ -- //\n//",
      ["SELECT '//'"],
    ],
    [
      'leaves a column that is called delimiter alone',
      'CREATE TABLE t (a int,\n  delimiter varchar(3));',
      ['CREATE TABLE t (a int,\n  delimiter varchar(3))'],
    ],
    [
      'needs no DELIMITER for a body of one statement',
      'CREATE TRIGGER t BEFORE INSERT ON x FOR EACH ROW SET NEW.a = 1; SELECT 1;',
      ['CREATE TRIGGER t BEFORE INSERT ON x FOR EACH ROW SET NEW.a = 1', 'SELECT 1'],
    ],
  ];
  for (const [name, text, expected] of cases) {
    test(name, () => assert.deepEqual(sqlOf(text), expected));
  }

  test('gives the line and the number of each statement', () => {
    const text =
      "-- head\n\nSELECT\n 1;\n/* a\nb */ SELECT '\n\n'; SELECT 3;\nDELIMITER //\nSELECT 4//";

    const places = splitStatements(text, 'f.sql').map(({ line, number }) => [number, line]);

    assert.deepEqual(places, [
      [1, 3],
      [2, 6],
      [3, 8],
      [4, 10],
    ]);
  });

  test('reads double quotes as names under ANSI_QUOTES', () => {
    const text = String.raw`SELECT "a\"; SELECT 2`;

    assert.deepEqual(sqlOf(text, { ansiQuotes: true }), [String.raw`SELECT "a\"`, 'SELECT 2']);
    assert.equal(refusal(text), 'f.sql:1 a quoted text begins here and does not end');
  });

  test('reads a backslash as itself under NO_BACKSLASH_ESCAPES', () => {
    const text = String.raw`SELECT '\', "\"; SELECT 2`;
    const quoting = { noBackslashEscapes: true };

    assert.deepEqual(sqlOf(text, quoting), [String.raw`SELECT '\', "\"`, 'SELECT 2']);
  });

  test('follows sql_mode as the script sets it', () => {
    const text = String.raw`SET sql_mode='ANSI_QUOTES,NO_BACKSLASH_ESCAPES'; SELECT "\", '\';
      SET @a=@@sql_mode, SESSION sql_mode = DEFAULT; SELECT "\";", '\';'; SET @@session.sql_mode = 'ansi';
      SELECT "\"; SET sql_mode=@a; SELECT "\";"; SET @sql_mode = 'ANSI'; SELECT "\";"`;

    assert.deepEqual(sqlOf(text).slice(-3), [
      String.raw`SELECT "\";"`,
      "SET @sql_mode = 'ANSI'",
      String.raw`SELECT "\";"`,
    ]);
    assert.equal(sqlOf(text).length, 10);
  });

  test('splits 20 MB in time that grows with the length', () => {
    const text = `INSERT INTO t VALUES ('${'x'.repeat(10_000)}');\n`.repeat(2000);

    assert.equal(sqlOf(text).length, 2000);
  });

  test('reads a string of 10 MB', () => {
    assert.equal(sqlOf(`SELECT '${"\\'".repeat(5_000_000)}';`).length, 1);
  });
});

describe('splitStatements refuses', () => {
  const cases: readonly [name: string, text: string, expected: string][] = [
    [
      'a string that does not end',
      "SELECT 1;\nSELECT 'a;\n\n",
      'f.sql:2 a quoted text begins here and does not end',
    ],
    [
      'a quoted name that does not end',
      'SELECT\n`a',
      'f.sql:2 a name in backticks begins here and does not end',
    ],
    [
      'a comment that does not end',
      'SELECT 1;\n\n/* a',
      'f.sql:3 a comment begins here and does not end',
    ],
    [
      'a sandbox line that does not end',
      '/*M!999999\\- enable',
      'f.sql:1 a comment begins here and does not end',
    ],
    [
      'an executable comment that does not end',
      'SELECT 1\n/*! + 2',
      'f.sql:2 an executable comment begins here and is cut by the delimiter',
    ],
    [
      'an executable comment that the delimiter cuts',
      '/*!50003 SELECT 1; SELECT 2 */;',
      'f.sql:1 an executable comment begins here and is cut by the delimiter',
    ],
    [
      'an executable comment in another',
      '/*! SELECT /*! 1 */ */;',
      'f.sql:1 an executable comment stands in another one',
    ],
    [
      'a comment in an executable comment on its line',
      '/*! SELECT /* a */ 1 */;',
      'f.sql:1 a comment stands in an executable comment on the same line',
    ],
    ['\\G', 'SELECT 1\\G', 'f.sql:1 \\G is a command of the mariadb client, not SQL'],
    [
      '\\g behind a line',
      'SELECT 1\n\\g',
      'f.sql:2 \\g is a command of the mariadb client, not SQL',
    ],
    ['\\. file', '\\. other.sql', 'f.sql:1 \\. is a command of the mariadb client, not SQL'],
    [
      'a backslash at the end',
      'SELECT 1 \\',
      'f.sql:1 \\ is a command of the mariadb client, not SQL',
    ],
    [
      'source',
      'SELECT 1;\nsource other.sql;',
      'f.sql:2 source is a command of the mariadb client, not SQL',
    ],
    ['use', 'USE other;', 'f.sql:1 use is a command of the mariadb client, not SQL'],
    [
      'system, in any case',
      'SyStem rm -rf /',
      'f.sql:1 system is a command of the mariadb client, not SQL',
    ],
    ['?', '?', 'f.sql:1 ? is a command of the mariadb client, not SQL'],
    [
      'an executable comment whose end the delimiter cuts',
      'DELIMITER //\n/*! SELECT 1 *///',
      'f.sql:2 the delimiter cuts a mark of an executable comment',
    ],
    [
      'an executable comment whose beginning the delimiter cuts',
      'DELIMITER !\n/*! SELECT 1 */!',
      'f.sql:2 the delimiter cuts a mark of an executable comment',
    ],
    [
      'a star behind an executable comment',
      '/*! SELECT 2 */* 3;',
      'f.sql:1 the client takes */* for a star and the beginning of a comment',
    ],
    [
      'a comment that the client does not see ending',
      'SELECT 1; /* a /*/ SELECT 2;',
      'f.sql:1 a comment holds the beginning of another one',
    ],
    [
      'an executable comment in a comment',
      'SELECT 1;\n/* a\n/*! b */ SELECT 2;',
      'f.sql:2 a comment holds the beginning of another one',
    ],
    ['a NUL', 'SELECT \u0000 1;', 'f.sql:1 the file holds a NUL byte'],
    ['a NUL in a string', "SELECT 1,\n'\0';", 'f.sql:2 the file holds a NUL byte'],
    [
      'DELIMITER without delimiter',
      'DELIMITER\nSELECT 1',
      'f.sql:1 DELIMITER must be followed by the delimiter',
    ],
    [
      'DELIMITER glued to its delimiter',
      'DELIMITER//\nSELECT 1//',
      'f.sql:1 DELIMITER must be followed by the delimiter',
    ],
    [
      'DELIMITER before a \\r, which makes it no command to the client',
      'SELECT 1;\nDELIMITER\r ;\nSELECT 2;',
      'f.sql:2 DELIMITER must be followed by the delimiter',
    ],
    [
      'an empty quoted delimiter',
      "DELIMITER ''\n",
      'f.sql:1 DELIMITER must be followed by the delimiter',
    ],
    [
      'a delimiter with a backslash',
      'DELIMITER \\\\\n',
      'f.sql:1 the delimiter may not contain a backslash or a tab',
    ],
    [
      'a delimiter with white space around',
      "DELIMITER ' x'\n",
      'f.sql:1 the delimiter may not begin or end with white space',
    ],
    [
      'a delimiter with a tab',
      'DELIMITER $$\tSELECT\n',
      'f.sql:1 the delimiter may not contain a backslash or a tab',
    ],
    [
      'a delimiter that the client would cut',
      `DELIMITER ${'$'.repeat(16)}\n`,
      'f.sql:1 the delimiter is longer than 15 bytes',
    ],
    [
      'SQL behind the delimiter',
      'DELIMITER // SELECT 1//',
      'f.sql:1 the client ignores what follows the delimiter on its line',
    ],
    [
      'DELIMITER behind a statement',
      'SELECT 1; DELIMITER //\n',
      'f.sql:1 DELIMITER must be the first word of its line',
    ],
    [
      'DELIMITER behind a comment',
      '/* a */ DELIMITER //\n',
      'f.sql:1 DELIMITER must be the first word of its line',
    ],
    [
      'a last statement without the changed delimiter',
      'DELIMITER //\nSELECT 1;\n',
      'f.sql:2 the last statement is not ended by the delimiter //',
    ],
    [
      'an sql_mode that only the server knows',
      "SELECT 1;\nSET sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES');",
      'f.sql:2 how the rest of the file is to be read depends on a value of sql_mode that only the server knows',
    ],
    [
      'an sql_mode that does not exist',
      "SET sql_mode = 'ANSI_QUOTES,ANSI_QUOTS';",
      'f.sql:1 how the rest of the file is to be read depends on a value of sql_mode that only the server knows',
    ],
  ];
  for (const [name, text, expected] of cases) {
    test(name, () => assert.equal(refusal(text), expected));
  }

  test('a stored program with a body but without DELIMITER, and says how to write it', () => {
    const text = 'SELECT 1;\nCREATE PROCEDURE p()\nBEGIN\n  SELECT 1;\nEND;';

    assert.equal(
      refusal(text),
      'f.sql:2 a stored program with a body needs another delimiter than ;',
    );
  });

  test('a body that does not end, with the line of its BEGIN', () => {
    const text = 'DELIMITER //\nCREATE PROCEDURE p()\nBEGIN\n  SELECT 1;\n//';

    assert.equal(refusal(text), 'f.sql:3 BEGIN begins here and has no END');
  });

  test('a body that does not end at the end of the file', () => {
    assert.equal(
      refusal('CREATE PROCEDURE p()\nBEGIN\n  SELECT 1'),
      'f.sql:2 BEGIN begins here and has no END',
    );
  });
});

describe('decodeScript', () => {
  test('gives the text of a UTF-8 file', () => {
    assert.equal(
      decodeScript(Buffer.from("SELECT 'Zauberkünste 🧙';"), 'f.sql'),
      "SELECT 'Zauberkünste 🧙';",
    );
  });

  test('refuses bytes that are not UTF-8, with their line', () => {
    const bytes = Buffer.from("SELECT 1;\nSELECT 'k\xfcnste';\n", 'latin1');

    assert.throws(() => decodeScript(bytes, 'f.sql'), {
      code: 'MIGRATION_FILE_INVALID',
      where: 'f.sql:2',
    });
  });

  test('refuses a sequence that is cut at the end of the file', () => {
    const bytes = Buffer.from([0x41, 0x0a, 0x0a, 0xc3]);

    assert.throws(() => decodeScript(bytes, 'f.sql'), {
      code: 'MIGRATION_FILE_INVALID',
      where: 'f.sql:3',
    });
  });

  test('refuses a NUL byte, with its line', () => {
    const bytes = Buffer.from('SELECT 1;\n\nSELECT \0;');

    assert.throws(() => decodeScript(bytes, 'f.sql'), {
      code: 'MIGRATION_FILE_INVALID',
      where: 'f.sql:3',
    });
  });
});
