import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type LoadedColumn,
  loadStatement,
  NEXT_STATEMENT,
  readRowTexts,
  UnexpectedText,
} from '../../../src/backup/load-data.ts';
import { LOADING_SESSION } from '../../../src/backup/structure-file.ts';

const SESSION = `${LOADING_SESSION.join(';\n')};\n`;
const ROWS = ["(1,'a\\';\\n--',NULL),", "(-2,'INSERT INTO `t` VALUES\\n(',0x00FF)"];
const HEAD = 'INSERT INTO `t` VALUES\n';

/** What comes out of a file that comes in chunks of `size` bytes: the texts of each statement. */
async function readTexts(text: string, size: number): Promise<string[]> {
  async function* chunks() {
    for (let at = 0; at < text.length; at += size) {
      yield Buffer.from(text.slice(at, at + size), 'latin1');
    }
  }
  const statements = [''];
  for await (const piece of readRowTexts(chunks(), 't')) {
    if (piece === NEXT_STATEMENT) statements.push('');
    else statements.push(statements.pop() + piece.toString('latin1'));
  }
  return statements;
}

test('rows come without their statements, however the file arrives', async () => {
  const rows = ROWS.join('\n');
  const text = `${SESSION}-- WHERE:  \`id\` < 7;\n\n${HEAD}${rows};\n${HEAD}(3,';',1);\n--\n\n${HEAD}${rows};\n\n`;
  const expected = [`${rows},\n`, "(3,';',1),\n", `${rows},\n`, ''];
  for (const size of [1, 2, 3, 5, 7, 64, 10_000]) {
    assert.deepEqual(await readTexts(text, size), expected, `chunks of ${size} bytes`);
  }
  assert.deepEqual(await readTexts(`${SESSION}\n--\n`, 7), ['']);
});

test('a file that is not the usual one is not read as rows', async () => {
  for (const text of [
    'INSERT INTO `t` (`a`) VALUES\n(1);\n',
    'INSERT INTO `t` VALUES (1);\n',
    'INSERT INTO `u` VALUES\n(1);\n',
    `SET SESSION sql_mode='';\n${HEAD}(1);\n`,
    `${HEAD}(1);\nCOMMIT;\n`,
    `${HEAD}(1)`,
    `${HEAD}(1);`,
    `${HEAD}(1);\nINSERT INTO \`t`,
  ]) {
    for (const size of [1, 1000]) await assert.rejects(readTexts(text, size), UnexpectedText, text);
  }
});

test('only columns that LOAD DATA gives back exactly are loaded by it', () => {
  const column = (dataType: string, makes: LoadedColumn['makes'] = 'nothing'): LoadedColumn => {
    return { name: dataType, dataType, charset: null, makes };
  };
  for (const dataType of ['bit', 'float', 'geometry', 'point', 'vector']) {
    assert.equal(loadStatement('t', [column('int'), column(dataType)]), null, dataType);
  }
  assert.equal(loadStatement('t', [column('int', 'value')]), null, 'a generated column');
  assert.equal(loadStatement('t', []), null, 'columns that nobody knows');
  const plain = loadStatement('`t', [column('bigint', 'number'), column('text')]);
  assert.match(plain!, /INTO TABLE ```t` CHARACTER SET binary\n[^@]*\(`bigint`,`text`\)$/);
  assert.match(loadStatement('t', [column('uuid')])!, /CHARACTER SET utf8mb4\n/);
  const latin1 = { ...column('text'), charset: 'latin1' };
  assert.match(loadStatement('t', [latin1])!, /CHARACTER SET utf8mb4\n/);
  const hex = loadStatement('t', [column('bigint', 'number'), column('text'), column('blob')]);
  assert.match(
    hex!,
    /\(@deploy_0,`text`,@deploy_2\) SET `bigint`=@deploy_0,`blob`=UNHEX\(SUBSTR\(@deploy_2,3\)\)$/,
  );
});
