import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitDump } from '../../../src/backup/row-statements.ts';

const DUMP = [
  '/*M!999999\\- enable the sandbox mode */ ',
  '-- Host: localhost    Database: it`s "odd; name\'',
  '-- ------------------',
  '',
  "/*!40103 SET TIME_ZONE='+00:00' */;",
  '',
  '--',
  "-- Dumping data for table `don't; stop`",
  '--',
  '',
  'INSERT INTO `a;b``c` VALUES',
  "(1,'x;y\\'; -- no comment\\\\',0x00FF),",
  "(-2,'ä😀',NULL),",
  "(3,'\\\\','--');",
  "INSERT INTO `t` VALUES (1,'');",
  '-- Dump completed on 2026-01-16 10:30:05',
  '',
].join('\n');

const STATEMENTS = [
  "/*M!999999\\- enable the sandbox mode */ \n-- Host: localhost    Database: it`s \"odd; name'\n-- ------------------\n\n/*!40103 SET TIME_ZONE='+00:00' */",
  "INSERT INTO `a;b``c` VALUES\n(1,'x;y\\'; -- no comment\\\\',0x00FF),\n(-2,'ä😀',NULL),\n(3,'\\\\','--')",
  "INSERT INTO `t` VALUES (1,'')",
];

async function split(text: string, size: number, pieceBytes?: number): Promise<string[]> {
  const bytes = Buffer.from(text);
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  return Array.fromAsync(splitDump(chunks(), pieceBytes));
}

test('a dump is taken apart into its statements, however it arrives', async () => {
  for (const size of [1, 2, 3, 5, 7, 64, 10_000]) {
    assert.deepEqual(await split(DUMP, size), STATEMENTS, `chunks of ${size} bytes`);
  }
});

test('a dump that ends within a statement is refused', async () => {
  for (const text of [
    "INSERT INTO t VALUES (1,'a",
    'INSERT INTO t VALUES (1)',
    "INSERT INTO t VALUES ('\\",
  ]) {
    await assert.rejects(split(text, 4), /ends within a statement/);
  }
});

test('nothing, and comments alone, hold no statement', async () => {
  assert.deepEqual(await split('', 4), []);
  assert.deepEqual(await split("\n-- it's a comment;\n\n", 4), []);
});

test('long values come in pieces before their statement, which is otherwise as it was', async () => {
  const digits = '00ff27'.repeat(100);
  const text = "\\'ä\\\\\\'😀,()".repeat(50);
  const statements = [
    `INSERT INTO \`a,(\` VALUES\n(1,0x${digits},'x',0x00),\n(2,'${text}',0xff),(3,x'${digits}',-1)`,
    "INSERT INTO `t` VALUES (1,'')",
    `INSERT INTO \`t\` VALUES ('${text}')`,
  ];
  for (const size of [1, 2, 3, 7, 50, 51, 333, 10_000]) {
    const sent = await split(`${statements.join(';\n')};\n`, size, 100);

    assert.deepEqual(putTogether(sent), statements, `chunks of ${size} bytes`);
    const sets = sent.filter((each) => each.startsWith('SET '));
    if (size > 333) continue;
    assert.ok(sets.length > 6 && sets.every(({ length }) => length < 150 + size), `${sets.length}`);
    assert.deepEqual(
      sets.filter((each) => each.endsWith('=NULL')),
      [1, 2, 3, 1].map((nth) => `SET @deploy_long_${nth}=NULL`),
    );
  }
});

/** What the server makes of the variables. */
function putTogether(sent: readonly string[]): string[] {
  const values = new Map<string, string>();
  return sent.flatMap((statement) => {
    const [, name, isMore, value] =
      /^SET (@\w+)=(CONCAT\(@\w+,)?(?:x?'(.*)'\)?|NULL)$/s.exec(statement) ?? [];
    if (name !== undefined) {
      values.set(name, (isMore === undefined ? '' : values.get(name)) + (value ?? ''));
      return [];
    }
    return [
      statement.replaceAll(
        /CONCAT\((@\w+),(0x|x'|')(?:((?:[^'\\]|\\.)*)')?([0-9a-f]*)\)/gs,
        (_, variable: string, open: string, quoted: string | undefined, plain: string) =>
          open + values.get(variable) + (quoted === undefined ? plain : `${quoted}'`),
      ),
    ];
  });
}
