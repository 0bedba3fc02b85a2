import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureStatements } from '../../../src/backup/write-rows.ts';

test('the longest statement is found wherever the chunks of a file end', () => {
  const first = "INSERT INTO a VALUES ('x;')";
  const longest = "INSERT INTO a VALUES ('xxxxxxxx',\n';')";
  const text = Buffer.from(`${first};\n${longest};\n${first};\n`);
  for (let at = 0; at <= text.length; at++) {
    for (const size of [1, 2, text.length]) {
      const measure = measureStatements();
      let found = measure(text.subarray(0, at));
      for (let begin = at; begin < text.length; begin += size)
        found = measure(text.subarray(begin, begin + size));
      // A chunk may end between semicolon and line end: then the semicolon is counted.
      assert.ok(found === longest.length || found === longest.length + 1, `${found} at ${at}`);
    }
  }
});
