/** Everything that cannot be written is found before the first write, and all of it at once. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Db } from '../../../src/database/connect.ts';
import { hashTables } from '../../../src/database/value-hash.ts';
import { DeployError } from '../../../src/errors/deploy-error.ts';
import { checkMasterdata } from '../../../src/masterdata/sync.ts';
import {
  changedSample,
  type Files,
  makeSchema,
  masterdataDir,
  readSet,
  syncAndCommit,
} from '../../support/masterdata.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });
const name = await server.createDatabase();

async function preparedDatabase(): Promise<Db> {
  const db = await server.connect(name);
  if ((await db.query('SHOW TABLES')).length === 0) {
    await makeSchema(db);
    await syncAndCommit(db, await readSet(masterdataDir));
  }
  return db;
}

async function problemsOf(run: Promise<unknown>): Promise<string[]> {
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof DeployError)) throw error ?? new Error('nothing was refused');
  assert.equal(error.code, 'MASTERDATA_INVALID');
  const problems = error.facts['problems'] as { where: string; message: string }[];
  return problems.map(({ where, message }) => `${where}: ${message}`);
}

const cases: readonly [string, (files: Files) => void, RegExp][] = [
  [
    'a text that is longer than its column',
    (files) => {
      files['spells']![1]!['learning_category'] = 'ä'.repeat(26);
    },
    /^spells\.json data\[1\] \(Lichtkreis, midgard\): learning_category: 26 characters, and the column holds 25$/,
  ],
  [
    'a text where a number must be',
    (files) => {
      files['skills']![0]!['initialwert'] = 'fünf';
    },
    /initialwert: not a whole number$/,
  ],
  [
    'a number that is too large',
    (files) => {
      files['spells']![0]!['level'] = '9223372036854775808';
    },
    /level: outside of -9223372036854775808 to 9223372036854775807$/,
  ],
  [
    'null in a column that must have a value',
    (files) => {
      files['spell_level_le_costs']![0]!['le_required'] = null;
    },
    /data\[0\] \(1\): le_required: null, and the column must have a value$/,
  ],
  [
    'a field that is missing',
    (files) => {
      delete files['class_spell_points']![0]!['spell_points'];
    },
    /spell_points: missing$/,
  ],
  [
    'a field that nobody knows',
    (files) => {
      files['weapons']![0]!['weight'] = 1;
    },
    /weight: there is no such field$/,
  ],
  [
    'a row that is no object',
    (files) => {
      files['weapons']![0] = 'Schwert' as never;
    },
    /^weapons\.json data\[0\]: this is not an object$/,
  ],
  [
    'a reference to a source that does not exist',
    (files) => {
      files['equipment']![0]!['source_code'] = 'XYZ';
    },
    /source_code: no row of sources is XYZ$/,
  ],
  [
    'a reference to a class by a wrong name',
    (files) => {
      files['class_spell_points']![0]!['class_name'] = 'Seiltänzer';
    },
    /class_name, class_system: no row of character_classes is Seiltänzer, midgard$/,
  ],
  [
    'an empty reference where there must be one',
    (files) => {
      files['spell_schools']![0]!['source_code'] = '';
    },
    /source_code: no row of sources is ''$/,
  ],
  [
    'a spell of an unknown school',
    (files) => {
      files['spells']![0]!['category'] = 'Schatten';
    },
    /category: no row of spell_schools is Schatten$/,
  ],
  [
    'an unknown game system',
    (files) => {
      files['believes']![0]!['game_system'] = 'anderswo';
    },
    /game_system: anderswo is no game system of gameSystemAliases$/,
  ],
  [
    'a copy that does not fit where the original does',
    (files) => {
      const name_ = 'Schilde und Parierwaffen';
      files['skill_categories']!.push({ name: name_, game_system: 'midgard', source_code: 'GDB' });
      files['class_category_ep_costs']![0]!['skill_category_name'] = name_;
    },
    /^class_category_ep_costs\.json .*: skill_category: the copy Schilde und Parierwaffen does not fit varchar\(15\)$/,
  ],
  [
    'the same key twice, written with another letter',
    (files) => {
      files['transportation']!.push({ ...files['transportation']![0]!, name: 'HANDKARREN' });
    },
    /the same key is at 0, 2 of the file/,
  ],
  [
    'two rows with different keys that a unique index refuses',
    (files) => {
      files['sources']!.push({ ...files['sources']![0]!, code: 'NEU' });
    },
    /name: must be unique, and (is the same at 0, 3 of the file|the row with id 1 has the same)$/,
  ],
  [
    'a new row whose unique name a row of the database has',
    (files) => {
      const [first] = files['sources']!;
      files['sources']!.push({ ...first, code: 'NEU', name: 'Reisen an der Küste' });
      files['sources'] = files['sources']!.filter(({ code }) => code !== 'RDK');
    },
    /name: must be unique, and the row with id 3 has the same$/,
  ],
  [
    'two rows that exchange a unique value',
    (files) => {
      const [first, second] = files['sources']!;
      [first!['name'], second!['name']] = [second!['name'], first!['name']];
    },
    /name: must be unique, and the row with id [12] has the same until this sync changes it: do that in one before$/,
  ],
];

describe('master data is refused, and nothing is written,', () => {
  for (const [what, change, expected] of cases) {
    test(`for ${what}`, async (t) => {
      const db = await preparedDatabase();
      const tables = (await db.query(`SHOW TABLES`)).map((row) => String(Object.values(row)[0]));
      const before = await hashTables(db, name, tables);
      const set = await changedSample(t, change);

      const problems = await problemsOf(syncAndCommit(db, set));

      assert.deepEqual(
        problems.filter((problem) => !expected.test(problem)),
        [],
        'no other problem is reported',
      );
      assert.ok(problems.length >= 1);
      assert.deepEqual(await hashTables(db, name, tables), before);
    });
  }

  test('with every problem of every file at once', async (t) => {
    const db = await preparedDatabase();
    const set = await changedSample(t, (files) => {
      files['skills']![0]!['initialwert'] = 'x';
      files['skills']![1]!['source_code'] = 'XYZ';
      files['believes']![0]!['page_number'] = 1.5;
      files['class_typical_spells']![0]!['spell_name'] = 'unbekannt';
      files['containers']!.push({ ...files['containers']![0]! });
    });

    const problems = await problemsOf(syncAndCommit(db, set));

    assert.deepEqual(problems.map((problem) => problem.split(' ')[0]).sort(), [
      'believes.json',
      'class_typical_spells.json',
      'containers.json',
      'skills.json',
      'skills.json',
    ]);
  });

  test('when the database lacks a table or a column that is declared', async (t) => {
    const db = await server.connect(await server.createDatabase());
    await makeSchema(db);
    await db.run('ALTER TABLE gsm_misc DROP COLUMN page_number');
    await db.run('DROP TABLE gsm_believes');
    const set = await changedSample(t, () => {});

    assert.deepEqual(await problemsOf(checkMasterdata(db, set)), [
      'entities.json: entity believes: the database has no table gsm_believes',
      'entities.json: entity misc_lookups: table gsm_misc has no column page_number that can be written',
    ]);
  });
});

describe('a check without the rows of the database', () => {
  test('takes a reference that only the database may have, and finds what is wrong anyway', async (t) => {
    const db = await server.connect(await server.createDatabase());
    await makeSchema(db);
    const outside = await changedSample(t, (files) => {
      files['equipment']![0]!['source_code'] = 'XYZ';
    });
    const wrong = await changedSample(t, (files) => {
      files['equipment']![0]!['wert'] = 'viel';
    });

    await checkMasterdata(db, outside);

    assert.match((await problemsOf(checkMasterdata(db, wrong)))[0]!, /wert: not a number$/);
  });
});
