import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  normaliseBinaryDefault,
  normaliseCharset,
  normaliseDefault,
  normaliseExtra,
  normaliseOptions,
  normaliseSequence,
  normaliseType,
  withoutDefaultWidth,
  withoutDisplayWidth,
  withoutOwnSchema,
} from '../../../src/schema/normalise.ts';

describe('withoutOwnSchema', () => {
  const rows: readonly (readonly [text: string, expected: string])[] = [
    [
      'select `a`.`id` AS `id` from (`app`.`p` `a` join `app`.`c` `b` on(`a`.`id` = `b`.`id`))',
      'select `a`.`id` AS `id` from (`p` `a` join `c` `b` on(`a`.`id` = `b`.`id`))',
    ],
    ['select `app`.`bad`.`a` AS `a` from `app`.`bad`', 'select `bad`.`a` AS `a` from `bad`'],
    ['select `app`.`f`(1) AS `x`', 'select `f`(1) AS `x`'],
    ['nextval(`app`.`sq`)', 'nextval(`sq`)'],
    ['(nextval(`app`.`sq odd`) + lastval(`app`.`b`))', '(nextval(`sq odd`) + lastval(`b`))'],
    // An alias that has the schema's name.
    ['select max(`app`.`id`) from `app`.`p` `app`', 'select max(`app`.`id`) from `p` `app`'],
    [`select '\`app\`.\`p\`' AS \`x\` from \`app\`.\`p\``, "select '`app`.`p`' AS `x` from `p`"],
    [`select 'it\\'s from \`app\`.\`p\`' AS \`x\``, `select 'it\\'s from \`app\`.\`p\`' AS \`x\``],
    ['select 1 from `other`.`p`', 'select 1 from `other`.`p`'],
    ['select `a``app`.`p` from `a``app`', 'select `a``app`.`p` from `a``app`'],
    ['select 1 from `x` left join `app`.`y` on(1)', 'select 1 from `x` left join `y` on(1)'],
  ];
  for (const [text, expected] of rows)
    test(text, () => assert.equal(withoutOwnSchema(text, 'app'), expected));

  test('a schema with a backtick in its name', () => {
    assert.equal(withoutOwnSchema('select 1 from `a``b`.`t`', 'a`b'), 'select 1 from `t`');
  });
});

describe('spellings of one thing', () => {
  const rows: readonly (readonly [actual: unknown, expected: unknown])[] = [
    [normaliseType('text /*M!100301 COMPRESSED*/'), 'text COMPRESSED'],
    [normaliseType('text /*!100301 COMPRESSED*/'), 'text COMPRESSED'],
    [normaliseCharset('utf8'), 'utf8mb3'],
    [normaliseCharset('utf8_bin'), 'utf8mb3_bin'],
    [normaliseCharset('utf8mb4_bin'), 'utf8mb4_bin'],
    [normaliseCharset(null), null],
    [normaliseDefault('CURRENT_TIMESTAMP', 'app'), 'current_timestamp()'],
    [normaliseDefault('now(6)', 'app'), 'current_timestamp(6)'],
    [normaliseDefault("'now()'", 'app'), "'now()'"],
    [normaliseDefault(null, 'app'), null],
    [normaliseExtra('STORED GENERATED, INVISIBLE'), 'INVISIBLE'],
    [
      normaliseExtra('on update current_timestamp(), INVISIBLE'),
      'INVISIBLE, on update current_timestamp()',
    ],
    [
      normaliseExtra('INVISIBLE, on update CURRENT_TIMESTAMP'),
      'INVISIBLE, on update current_timestamp()',
    ],
    [normaliseExtra('DEFAULT_GENERATED'), ''],
    [
      normaliseOptions("stats_persistent=1 `PAGE_COMPRESSED`='1' partitioned"),
      ['page_compressed=1', 'stats_persistent=1'],
    ],
    [
      normaliseOptions('`page_compressed`=1 stats_persistent=1'),
      ['page_compressed=1', 'stats_persistent=1'],
    ],
    [normaliseOptions(''), []],
    [
      normaliseSequence('CREATE SEQUENCE `s``q` as bigint start with 1  nocycle ENGINE=InnoDB'),
      'start with 1 nocycle ENGINE=InnoDB',
    ],
    [
      normaliseSequence('CREATE SEQUENCE `s` as bigint unsigned start with 1'),
      'as bigint unsigned start with 1',
    ],
    [normaliseSequence('CREATE SEQUENCE `s` as int start with 1'), 'as int start with 1'],
    [normaliseBinaryDefault("'abc'"), "x'616263'"],
    [normaliseBinaryDefault(`'a\\0\\\\b''\\nä'`), "x'61005c62270ac3a4'"],
    [normaliseBinaryDefault("'a?'"), "'a?'"],
    [normaliseBinaryDefault("''"), "''"],
    [normaliseBinaryDefault('NULL'), 'NULL'],
    [withoutDisplayWidth('bigint(20) unsigned'), 'bigint unsigned'],
    [withoutDisplayWidth('int(5)'), 'int'],
    [withoutDisplayWidth('tinyint(1)'), 'tinyint(1)'],
    [withoutDisplayWidth('int(5) unsigned zerofill'), 'int(5) unsigned zerofill'],
    [withoutDisplayWidth('decimal(10,2)'), 'decimal(10,2)'],
    [withoutDefaultWidth('int(11)'), 'int'],
    [withoutDefaultWidth('int(10) unsigned'), 'int unsigned'],
    [withoutDefaultWidth('int(5)'), 'int(5)'],
    [withoutDefaultWidth('varchar(11)'), 'varchar(11)'],
  ];
  rows.forEach(([actual, expected], index) => {
    test(`${index + 1}: ${JSON.stringify(expected)}`, () => assert.deepEqual(actual, expected));
  });
});
