import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  readShownTable,
  shownParameters,
  shownSelect,
  trueBody,
} from '../../../src/schema/show-create.ts';

const text = (tail: string, head = '  `a` int(11) DEFAULT NULL') =>
  `CREATE TABLE \`t\` (\n${head}\n) ENGINE=${tail}`;

describe('readShownTable', () => {
  test('takes the partitions without version comments and folders', () => {
    const shown = text(
      `InnoDB AUTO_INCREMENT=4 COMMENT='PARTITION BY'\n/*!50100 PARTITION BY RANGE  COLUMNS(\`a\`)\n(PARTITION \`p\` VALUES LESS THAN (1) DATA DIRECTORY = '/x/y''z' ENGINE = InnoDB)*/`,
    );

    assert.deepEqual(readShownTable(shown, 'app', 'InnoDB'), {
      partitioning:
        'PARTITION BY RANGE COLUMNS(`a`) (PARTITION `p` VALUES LESS THAN (1) ENGINE = InnoDB)',
      options: [],
    });
  });

  test('keeps periods, and keys that need them', () => {
    const head =
      '  `a` int(11) DEFAULT NULL,\n  PERIOD FOR `p` (`s`, `e`),\n  UNIQUE KEY `id` (`id`,`p` WITHOUT OVERLAPS)';

    assert.deepEqual(readShownTable(text('InnoDB', head), 'app', 'InnoDB').options, [
      'PERIOD FOR `p` (`s`, `e`)',
      'UNIQUE KEY `id` (`id`,`p` WITHOUT OVERLAPS)',
    ]);
  });

  test('keeps of an uncommon engine only a hash: the text may hold a password', () => {
    const read = (tail: string) => readShownTable(text(tail), 'app', 'FEDERATED');
    const secret = read(`FEDERATED CONNECTION='mysql://u:hunter2@h/d'`);

    assert.equal(secret.partitioning, null);
    assert.match(secret.options[0] ?? '', /^engine attributes [0-9a-f]{16}$/);
    assert.notDeepEqual(read(`FEDERATED CONNECTION='mysql://u:other@h/d'`), secret);
    assert.deepEqual(read(`FEDERATED AUTO_INCREMENT=9 CONNECTION='mysql://u:hunter2@h/d'`), secret);
  });
});

describe('trueBody', () => {
  test('puts back the characters that information_schema shows as ?', () => {
    const shown =
      'CREATE DEFINER=`a`@`b` TRIGGER `t😀` BEFORE INSERT ON `x` FOR EACH ROW select "😀?", 1';

    assert.equal(trueBody(shown, 'select "??", 1'), 'select "😀?", 1');
  });

  test('keeps the known text when the two do not fit', () => {
    assert.equal(trueBody('CREATE PROCEDURE `p`() select 2', 'select ?'), 'select ?');
  });
});

describe('shownSelect', () => {
  const rows: readonly (readonly [shown: string, select: string | null])[] = [
    [
      'CREATE ALGORITHM=MERGE DEFINER=`a`@`b` SQL SECURITY DEFINER VIEW `v` AS select 1 AS `1`',
      'select 1 AS `1`',
    ],
    [
      'CREATE ALGORITHM=MERGE DEFINER=`a VIEW b`@`b` SQL SECURITY DEFINER VIEW `x`.`v``w` AS select 1 AS `1` WITH LOCAL CHECK OPTION',
      'select 1 AS `1`',
    ],
    ['CREATE TABLE `t` (a int)', null],
  ];
  for (const [shown, select] of rows) test(shown, () => assert.equal(shownSelect(shown), select));
});

describe('shownParameters', () => {
  const rows: readonly (readonly [shown: string, list: string])[] = [
    [
      "CREATE DEFINER=`a`@`b` PROCEDURE `p(`(a int DEFAULT (1 + 2), b char(1) DEFAULT ')')\nselect (1)",
      "a int DEFAULT (1 + 2), b char(1) DEFAULT ')'",
    ],
    [
      'CREATE DEFINER="a"@"b" FUNCTION "f"(a INT := 5) RETURN INT AS BEGIN RETURN (1); END',
      'a INT := 5',
    ],
    ['CREATE DEFINER="a"@"b" PROCEDURE "f" AS BEGIN NULL; END', ''],
  ];
  for (const [shown, list] of rows) test(shown, () => assert.equal(shownParameters(shown), list));
});
