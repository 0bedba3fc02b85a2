import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitTables } from '../../../src/backup/dump-split.ts';
import { allOrStop, shareOut } from '../../../src/backup/lanes.ts';

const DUMP = `-- MariaDB dump
SET NAMES x;

--
-- Dumping data for table \`a\`
--

INSERT INTO \`a\` VALUES
(1,'\\n--\\n-- Dumping data for table \`b\`\\n--\\n');

--
-- Dumping data for table \`b\`\`c\`
--

/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;

-- Dump completed
`;

async function split(text: string, size: number, tables = ['a', 'b`c']): Promise<string[]> {
  const bytes = Buffer.from(text);
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  const found: string[] = [];
  for await (const { table, rows } of splitTables(chunks(), tables)) {
    let own = '';
    for await (const chunk of rows) own += chunk.toString();
    found.push(`${table}: ${own.trim()}`);
  }
  return found;
}

test('a dump is cut into its tables, wherever the borders of its pieces are', async () => {
  const expected = [DUMP.slice(DUMP.indexOf('INSERT'), DUMP.indexOf("');") + 3)];
  for (const size of [1, 2, 7, 64, 1000]) {
    assert.deepEqual(await split(DUMP, size), [`a: ${expected[0]}`, 'b`c: ']);
  }
});

test('a dump in which a table is missing, or that ends within one, is refused', async () => {
  await assert.rejects(split(DUMP, 64, ['a', 'x', 'b`c']), /ends before its last table/);
  await assert.rejects(split(DUMP.slice(0, 150), 64), /ends before its last table/);
});

test('of several failures the first one counts, and the others are made to end', async () => {
  let end = (_error: Error) => {};
  const second = new Promise<never>((_resolve, reject) => {
    end = reject;
  });
  const first = Promise.reject(new Error('first'));

  const work = allOrStop([second, first], () => end(new Error('follows')));

  await assert.rejects(work, /first/);
});

test('after a failure nothing more is handed out', async () => {
  const done: number[] = [];
  const work = shareOut(['a', 'b'], [1, 2, 3, 4, 5], async (_worker, item) => {
    done.push(item);
    if (item === 2) throw new Error('two');
    await new Promise((resolve) => setTimeout(resolve, 5));
  });

  await assert.rejects(work, /two/);
  assert.deepEqual(done, [1, 2]);
});
