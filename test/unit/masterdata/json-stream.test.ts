import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { JsonTextError, type Piece, readJson } from '../../../src/masterdata/json-stream.ts';

const enterData = ([name, index]: readonly (string | number)[]) =>
  index === undefined && (name === undefined || name === 'data');

async function read(chunks: readonly string[]): Promise<Piece[]> {
  return (await Array.fromAsync(readJson(chunks, enterData))).flat();
}

const text = `{"a": {"x": [1, 2]}, "data" : [ {"n":"}],\\"\\\\"} ,null, -1.5e3,[], "k", {"p":{},"q":"},"},{},{"r":[{},{}]} ], "b":true}\n`;

describe('the JSON reader', () => {
  test('gives the same pieces wherever the text is cut', async () => {
    const expected = [
      { path: ['a'], value: { x: [1, 2] } },
      { path: ['data', 0], value: { n: '}],"\\' } },
      { path: ['data', 1], value: null },
      { path: ['data', 2], value: -1500 },
      { path: ['data', 3], value: [] },
      { path: ['data', 4], value: 'k' },
      { path: ['data', 5], value: { p: {}, q: '},' } },
      { path: ['data', 6], value: {} },
      { path: ['data', 7], value: { r: [{}, {}] } },
      { path: ['b'], value: true },
    ];
    assert.deepEqual(await read([...text]), expected, 'one character at a time');
    for (let at = 0; at <= text.length; at += 1) {
      assert.deepEqual(await read([text.slice(0, at), text.slice(at)]), expected);
    }
  });

  test('gives nothing of an empty list', async () => {
    assert.deepEqual(await read(['{"data":[]}']), []);
  });

  test('takes a text that is one value', async () => {
    assert.deepEqual(await read(['12']), [{ path: [], value: 12 }]);
  });

  for (const broken of [
    '',
    '{',
    '{"data":[1,]}',
    '{"data":[1 2]}',
    '{"data":[1}',
    '{"data":[{"a":}]}',
    '{"data":[{"a":1]}',
    '{"data":[1]',
    '{"data":[1]} x',
    '{"data":[1]}]',
    '{"a":1,"a":2}',
    '{a:1}',
    '{"a" 1}',
    '{"a"::1}',
    '{,}',
    '{"data":["x',
    '[01]',
    '{"data":[tru]}',
    '{"data":\u00a0[]}',
    '{"data":["\n"]}',
  ]) {
    test(`refuses ${JSON.stringify(broken)}`, async () => {
      await assert.rejects(read([broken]), JsonTextError);
      await assert.rejects(read([...broken]), JsonTextError);
    });
  }

  test('accepts and refuses what JSON.parse does', async () => {
    const parts = ['{', '}', '{},', '[', ']', ',', ':', '"data"', '"b"', '1', 'null', ' '];
    let seed = 7;
    const next = (most: number) => {
      seed = (seed * 48271) % 2147483647;
      return seed % most;
    };
    for (let round = 0; round < 20_000; round += 1) {
      const made = Array.from({ length: 1 + next(9) }, () => parts[next(parts.length)]).join('');
      const isJson = !isRepeated(made) && parses(made);
      const taken = await read([made]).then(
        () => true,
        () => false,
      );
      if (!isRepeated(made)) assert.equal(taken, isJson, made);
    }
  });
});

function parses(made: string): boolean {
  try {
    JSON.parse(made);
    return true;
  } catch {
    return false;
  }
}

/** JSON.parse takes a name twice. */
function isRepeated(made: string): boolean {
  return made.split('"data"').length > 2 || made.split('"b"').length > 2;
}
