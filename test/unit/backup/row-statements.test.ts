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

async function split(text: string, size: number): Promise<string[]> {
  const bytes = Buffer.from(text);
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  return Array.fromAsync(splitDump(chunks()));
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
