import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { type Outcome, startDifferential } from '../../support/client-differential.ts';
import {
  damageScript,
  type GeneratedScript,
  generateScript,
} from '../../support/script-generator.ts';

const SEEDS = 150;

const differential = await startDifferential({ after });

function assertSame(script: GeneratedScript): void {
  const outcome = assertNotDifferent(script);
  assert.notEqual(outcome.kind, 'refused', JSON.stringify({ script, outcome }));
}

function assertNotDifferent(script: GeneratedScript): Outcome {
  const outcome = differential.compare(script);
  if (outcome.kind === 'different') assert.deepEqual(outcome.ours, outcome.client, script.text);
  return outcome;
}

describe('the server gets the same statements as from the mariadb client', () => {
  const scripts: readonly [name: string, text: string][] = [
    ['nothing at all', ''],
    [
      'statements, comments and empty statements',
      '-- a;\n;;SELECT 1;# b;\n/* c; */SELECT 2;\n;SELECT 3',
    ],
    ['quotes of every kind', 'SELECT \'a;\'\'b\\\';\', "c;""d\\";", `e;``f\\`;SELECT 1;'],
    ['a byte order mark and \\r\\n', "\uFEFFSELECT 'a\r\nb';\r\n\r\nSELECT 2;\r\n"],
    [
      'a \\r that ends no line',
      "SELECT\r'a\rb', 'c\r\r\nd', 'e\\\rf', `g\rh`;\rSELECT 2 -- a\r;\n;/* a\r; */SELECT /*! 3\r */;\r",
    ],
    ['a backslash before \\r\\n', "SELECT 'a\\\r\nb';\r\nSELECT 2;"],
    [
      'words that the client cuts or joins',
      'SELECT 1 AS /* a */ü_b, /* c *//* d */\\N;\nSELECT 1 AS\ndelimiter_x\n, 2;',
    ],
    ['a backslash at the end of a line', "SELECT 'a\\\nb\\\\\nc';SELECT 2;"],
    ['-- without white space', '--x\nSELECT 5--1;\nSELECT 1--\n+1;--\nSELECT 2;'],
    [
      'stored programs',
      'DELIMITER $$\nCREATE PROCEDURE p()\nBEGIN\n  -- a $$ b\n  IF 1 THEN SELECT "$$"; END IF;\nEND$$\nDROP PROCEDURE p$$\nDELIMITER ;\nSELECT 1;',
    ],
    ['a delimiter in words', 'delimiter go\nSELECT category FROM a go\nSELECT 1go'],
    [
      'a delimiter that begins a comment',
      'DELIMITER --\nSELECT 1-- SELECT 2--\nDELIMITER #\nSELECT 3# SELECT 4#\nDELIMITER /*\nSELECT 5/* SELECT 6/*',
    ],
    ['a quoted delimiter and a comment behind it', "DELIMITER '$$' -- x\nSELECT 1$$"],
    [
      'what mariadb-dump writes',
      "-- MariaDB dump\n/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;\nDELIMITER ;;\n/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER t AFTER INSERT ON x FOR EACH ROW BEGIN\n/* a; */ SET @a = ';;';\nEND */;;\nDELIMITER ;\n/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;",
    ],
    [
      'sql_mode set on the way',
      "SET sql_mode='ANSI_QUOTES';SELECT \"a\\\";SET sql_mode='NO_BACKSLASH_ESCAPES';SELECT '\\';SET sql_mode='';SELECT '\\';';",
    ],
    ['\\N', 'SELECT \\N;SELECT 1\\N;'],
    ['a last statement without delimiter', 'SELECT 1;\nSELECT 2 -- x'],
  ];
  for (const [name, text] of scripts) {
    test(`for ${name}`, () => assertSame({ text, charset: 'utf8mb4' }));
  }

  test('for a delimiter outside ASCII', () => {
    assertSame({ text: 'DELIMITER §§\nSELECT 1;§§\nSELECT 2§§', charset: 'latin1' });
  });

  test(`for ${SEEDS} generated scripts`, () => {
    for (let seed = 1; seed <= SEEDS; seed++) assertSame(generateScript(seed));
  });

  test(`for ${SEEDS} damaged scripts, unless they are refused`, () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      assertNotDifferent(damageScript(generateScript(seed), seed));
    }
  });
});
