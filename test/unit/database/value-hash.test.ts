import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HashColumn } from '../../../src/database/hash-text.ts';
import { hashQuery } from '../../../src/database/value-hash.ts';

function column(dataType: string, more: Partial<HashColumn> = {}): HashColumn {
  return { name: 'c', dataType, nullable: false, maxBytes: null, ...more };
}

/** What the columns add to the text of a row. */
function textOf(...columns: HashColumn[]): string {
  return (
    /SHA1\(CONCAT_WS\('\|',(.*)\)\)\),5\)\)<<32\|/.exec(hashQuery('s', 't', { columns }))?.[1] ?? ''
  );
}

describe('hashQuery', () => {
  const cases: readonly [column: HashColumn, text: string][] = [
    [column('int'), '`c`'],
    [column('int', { nullable: true }), "IFNULL(`c`,'N')"],
    [column('datetime', { name: 'a`b' }), '`a``b`'],
    [column('float'), 'IF(`c`=0,0,CAST(`c` AS DOUBLE))'],
    [column('bit'), 'CAST(`c` AS UNSIGNED)'],
    [column('enum', { maxBytes: 20 }), 'CAST(`c` AS UNSIGNED)'],
    [column('varchar', { maxBytes: 764 }), "CONCAT(OCTET_LENGTH(`c`),':',CAST(`c` AS BINARY))"],
    [column('blob', { maxBytes: 65_535 }), "CONCAT(OCTET_LENGTH(`c`),':',`c`)"],
    [column('longtext', { maxBytes: 4_294_967_295 }), 'MD5(`c`)'],
    [column('point'), 'MD5(`c`)'],
    [column('a type of a later server', { nullable: true }), "IFNULL(MD5(`c`),'N')"],
  ];
  for (const [given, text] of cases) {
    test(`makes ${text} of ${given.dataType}${given.nullable ? ' NULL' : ''}`, () => {
      assert.equal(textOf(given), text);
    });
  }

  test('digests long columns one by one when a row can be longer than a packet', () => {
    const texts = Array.from({ length: 9 }, () => column('text', { maxBytes: 65_535 }));
    const short = column('varchar', { name: 'd', maxBytes: 255 });
    const parts = textOf(...texts, short).split(/,(?=MD5|CONCAT)/);
    assert.deepEqual(parts, [
      ...Array(9).fill('MD5(`c`)'),
      "CONCAT(OCTET_LENGTH(`d`),':',CAST(`d` AS BINARY))",
    ]);
  });
});
