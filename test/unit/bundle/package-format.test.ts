import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  formatChecksums,
  formatMetadata,
  nameProblem,
  parseChecksums,
  parseMetadata,
} from '../../../src/bundle/package-format.ts';

const metadata = {
  format: 1 as const,
  version: '0.5.0',
  created_at: '2026-01-16T10:30:00.000Z',
  tool_version: '0.1.0',
  counts: { files: 1, rows: 2, by_file: { 'skills.json': 2 } },
};

describe('the metadata of a package', () => {
  test('are read as they were written', () => {
    assert.deepEqual(parseMetadata(formatMetadata(metadata)), metadata);
  });

  test('may have fields that are not known yet', () => {
    assert.deepEqual(parseMetadata(JSON.stringify({ ...metadata, later: 1 })), metadata);
  });

  for (const text of ['null', '[]', '"x"', '{}', JSON.stringify({ ...metadata, format: '1' })])
    test(`are not ${text.slice(0, 20)}`, () => {
      assert.match(String(parseMetadata(text)), /is not well formed/);
    });
});

describe('the checksums of a package', () => {
  const sum = 'a'.repeat(64);

  test('are read as they were written', () => {
    const checksums = new Map([
      ['masterdata/a.json', sum],
      ['metadata.json', 'b'.repeat(64)],
    ]);

    assert.deepEqual(parseChecksums(formatChecksums(checksums)), checksums);
  });

  test('may be those of sha256sum in binary mode', () => {
    assert.deepEqual(parseChecksums(`${sum} *metadata.json\n`), new Map([['metadata.json', sum]]));
  });

  for (const [title, text] of [
    ['capital letters', `${sum.toUpperCase()}  a.json\n`],
    ['an empty line', `${sum}  a.json\n\n`],
    ['a name with a space', `${sum}  a b.json\n`],
    ['CRLF', `${sum}  a.json\r\n`],
    ['nothing', '\n'],
  ] as const)
    test(`do not have ${title}`, () => {
      assert.match(String(parseChecksums(text)), /is not well formed in line/);
    });
});

describe('a file of a package', () => {
  for (const name of [
    'metadata.json',
    'checksums.txt',
    'masterdata/skills.json',
    'masterdata/class-2_x.json',
  ])
    test(`may be ${name}`, () => {
      assert.equal(nameProblem(name), null);
    });

  for (const name of [
    'masterdata',
    'masterdata/',
    'masterdata//a.json',
    'masterdata/a',
    'masterdata/a.JSON',
    'masterdata/.json',
    'Metadata.json',
    'masterdata/ä.json',
    `masterdata/${'a'.repeat(101)}.json`,
    'masterdata/a.json ',
    ' metadata.json',
    'masterdata/-rf.json',
  ])
    test(`may not be ${JSON.stringify(name).slice(0, 40)}`, () => {
      assert.match(nameProblem(name) ?? '', /no place in a package/);
    });
});
