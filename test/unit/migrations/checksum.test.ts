import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checksumsOf, normaliseText } from '../../../src/migrations/checksum.ts';
import { splitStatements } from '../../../src/statements/split.ts';

const bytes = (text: string) => Buffer.from(text, 'utf8');
const of = (up: string, data: string | null = null) =>
  checksumsOf({ up: bytes(up), data: data === null ? null : bytes(data) });

describe('normaliseText', () => {
  test('takes out the byte order mark and makes every line ending LF', () => {
    assert.equal(normaliseText('\uFEFFa\r\nb\n\r\n'), 'a\nb\n\n');
  });

  test('leaves white space and later marks alone: they may be data', () => {
    assert.equal(normaliseText(' a\t \uFEFF b '), ' a\t \uFEFF b ');
  });
});

describe('checksumsOf', () => {
  test('is the SHA-256 of the text: databases have it recorded, so it may never change', () => {
    assert.equal(
      of('ALTER TABLE a ADD b int;\n').checksum,
      '7ac03cfa29c66746b66fd8fbb68639c7b14d8cab741a0b957185cf4493472b7a',
    );
    assert.equal(
      of('ALTER TABLE a ADD b int;\n', 'export {};\n').checksum,
      'd79d6735c252e0feb3fb0484da260bcacc04784d8c0f93a3ca92da65ef832621',
    );
  });

  test('does not see line endings or a byte order mark', () => {
    const plain = of('a;\nb;\n', 'c\nd\n');
    const windows = of('\uFEFFa;\r\nb;\r\n', '\uFEFFc\r\nd\r\n');

    assert.equal(windows.checksum, plain.checksum);
    assert.notEqual(windows.rawChecksum, plain.rawChecksum);
    assert.equal(plain.crlfChecksum, windows.crlfChecksum);
  });

  test('lets a tool that hashes bytes be recognised: raw of CRLF is the CRLF checksum', () => {
    assert.equal(of('a;\r\nb;\r\n').rawChecksum, of('a;\nb;\n').crlfChecksum);
  });

  test('sees every other change, also white space in the middle', () => {
    assert.notEqual(of("SELECT 'a  b';").checksum, of("SELECT 'a b';").checksum);
  });

  test('sees a change after which other statements run: a CR that ends no line', () => {
    const [hidden, shown] = ['-- a\rDROP TABLE a;\n', '-- a\nDROP TABLE a;\n'];

    assert.deepEqual(
      [hidden, shown].map((text) => splitStatements(text, 'f.sql').length),
      [0, 1],
    );
    assert.notEqual(of(hidden).checksum, of(shown).checksum);
  });

  test('covers the data file, and tells it from more text in the up file', () => {
    assert.notEqual(of('a', 'b').checksum, of('a').checksum);
    assert.notEqual(of('a', 'b').checksum, of('ab').checksum);
    assert.notEqual(of('a', '').checksum, of('a').checksum);
    assert.notEqual(of('ab', 'c').checksum, of('a', 'bc').checksum);
  });
});
