import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { splitTableText } from '../../../src/backup/table-text.ts';

function table(lines: readonly string[], tail = ') ENGINE=InnoDB DEFAULT CHARSET=utf8mb4'): string {
  return `CREATE TABLE \`t\` (\n${lines.map((line) => `  ${line}`).join(',\n')}\n${tail}`;
}

describe('splitTableText', () => {
  test('takes secondary keys and foreign keys out, and leaves what else there is', () => {
    const id = '`id` int(11) NOT NULL AUTO_INCREMENT';
    const odd = "`a,(b` varchar(9) DEFAULT '),\\n  KEY `x` (`y`),' COMMENT 'it''s, (('";
    const key = "UNIQUE KEY `k,1` (`a,(b`(3)) COMMENT 'x, y'";
    const foreign = 'CONSTRAINT `f` FOREIGN KEY (`id`) REFERENCES `u` (`id`) ON DELETE CASCADE';
    const check = "CONSTRAINT `c` CHECK (`id` in (1,2) and `a,(b` <> ')')";

    const split = splitTableText('t', table([id, odd, 'PRIMARY KEY (`id`)', key, foreign, check]));

    assert.equal(split.create, table([id, odd, 'PRIMARY KEY (`id`)', check]));
    assert.equal(split.addKeys, `ALTER TABLE \`t\`\n  ADD ${key}`);
    assert.equal(split.addForeignKeys, `ALTER TABLE \`t\`\n  ADD ${foreign}`);
  });

  const stay: readonly (readonly [what: string, lines: readonly string[], tail?: string])[] = [
    [
      'a key that an AUTO_INCREMENT column needs',
      ['`n` int(11) NOT NULL AUTO_INCREMENT', 'KEY `k` (`n`,`g`)'],
    ],
    [
      'a unique key where there is no primary key',
      ['`a` int(11) NOT NULL', 'UNIQUE KEY `a` (`a`)'],
    ],
    [
      'keys that are no trees',
      [
        'PRIMARY KEY (`a`)',
        'FULLTEXT KEY `f` (`b`)',
        'SPATIAL KEY `s` (`p`)',
        'UNIQUE KEY `h` (`b`) USING HASH',
        'VECTOR KEY `v` (`v`)',
      ],
    ],
    ['keys of another engine', ['PRIMARY KEY (`a`)', 'KEY `k` (`b`)'], ') ENGINE=MyISAM'],
    [
      'keys of a system-versioned table',
      ['PRIMARY KEY (`a`)', 'KEY `k` (`b`)'],
      ') ENGINE=InnoDB WITH SYSTEM VERSIONING',
    ],
  ];
  for (const [what, lines, tail] of stay) {
    test(`leaves ${what}`, () => {
      const create = table(lines, tail);
      assert.deepEqual(splitTableText('t', create), {
        create,
        addKeys: null,
        addForeignKeys: null,
      });
    });
  }
});
