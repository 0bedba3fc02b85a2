import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type DumpStatement, splitDumpText } from '../../../src/backup/dump-splitter.ts';

/** Splits the text in pieces of `size` characters. */
async function split(text: string, size = text.length || 1, maxBytes?: number) {
  async function* pieces() {
    for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
  }
  const found: DumpStatement[] = [];
  const statements = splitDumpText(pieces(), maxBytes);
  for (;;) {
    const next = await statements.next();
    if (next.done === true) return { statements: found, last: next.value };
    found.push(next.value);
  }
}

const DUMP = `/*M!999999\\- enable the sandbox mode */
-- MariaDB dump 10.19
/*!40101 SET NAMES utf8mb4 */;
DROP TABLE IF EXISTS \`t;x\`;
CREATE TABLE \`t;x\` (a TEXT DEFAULT ';' COMMENT 'it''s; "x"');
INSERT INTO \`t;x\` VALUES ('a;b\\'; -- no'),("x;y"),('/* no */'),
('two;');
DELIMITER ;;
/*!50003 CREATE*/ /*!50017 DEFINER=\`r\`@\`l\`*/ /*!50003 TRIGGER tr BEFORE INSERT ON t FOR EACH ROW BEGIN SET NEW.a = ';'; END */;;
DELIMITER $$
CREATE PROCEDURE p() BEGIN SELECT 1; END$$
DELIMITER ;
# the end
-- Dump completed on 2026-01-16
`;

const EXPECTED = [
  '/*!40101 SET NAMES utf8mb4 */',
  'DROP TABLE IF EXISTS `t;x`',
  "CREATE TABLE `t;x` (a TEXT DEFAULT ';' COMMENT 'it''s; \"x\"')",
  "INSERT INTO `t;x` VALUES ('a;b\\'; -- no'),(\"x;y\"),('/* no */'),\n('two;')",
  "/*!50003 CREATE*/ /*!50017 DEFINER=`r`@`l`*/ /*!50003 TRIGGER tr BEFORE INSERT ON t FOR EACH ROW BEGIN SET NEW.a = ';'; END */",
  'CREATE PROCEDURE p() BEGIN SELECT 1; END',
];

describe('a dump is split as the client does', () => {
  for (const size of [1, 2, 3, 7, 64, 10_000]) {
    test(`in pieces of ${size} bytes`, async () => {
      const { statements, last } = await split(DUMP, size);
      assert.deepEqual(
        statements.map(({ sql }) => sql),
        EXPECTED,
      );
      assert.equal(last, 'Dump completed on 2026-01-16');
      assert.deepEqual(
        statements.map(({ line }) => line),
        [3, 4, 5, 6, 9, 11],
      );
    });
  }

  test('sql_mode changes how quotes are read', async () => {
    const { statements } = await split(
      `SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'; INSERT INTO "a;b" VALUES ('\\'); SELECT 1;`,
      5,
    );
    assert.equal(statements[1]?.sql, `INSERT INTO "a;b" VALUES ('\\')`);
  });

  test('a statement that is not ended, a value that does not end: cut off, with the line', async () => {
    for (const text of [
      "SELECT 1;\nINSERT INTO t VALUES ('a",
      'SELECT 1;\nINSERT INTO t',
      '\n/*!50003 X',
    ]) {
      await assert.rejects(split(text, 4), {
        message: /does not end: the dump is cut off/,
        line: 2,
      });
    }
  });

  test('commands of the client are refused, wherever they stand', async () => {
    for (const text of [
      '\\! id\n;',
      'SELECT 1 \\! id;',
      'system id;',
      'source /etc/passwd',
      'tee x;',
    ])
      await assert.rejects(split(text, 3), { name: 'DumpSyntaxError' });
  });

  test('a statement longer than the limit is refused before it is there in full', async () => {
    let read = 0;
    async function* bomb() {
      for (; read < 1000; read++) yield read === 0 ? "INSERT INTO t VALUES ('" : 'x'.repeat(1000);
    }
    await assert.rejects(
      async () => {
        for await (const _ of splitDumpText(bomb(), 10_000));
      },
      { message: /is longer than 10000 bytes/ },
    );
    assert.ok(read < 50, `${read} pieces were read`);
  });

  test('a value of some megabytes in small pieces takes its time once', async () => {
    const text = `INSERT INTO t VALUES ('${'x'.repeat(8_000_000)}');`;
    const begun = performance.now();
    assert.equal((await split(text, 16_384)).statements[0]?.sql.length, text.length - 1);
    assert.ok(performance.now() - begun < 5000);
  });
});
