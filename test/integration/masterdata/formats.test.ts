import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { recognise, steps } from '../../../masterdata/formats.ts';
import { readEntities } from '../../../src/masterdata/entities.ts';
import { convertFormer, type FormerFiles } from '../../../src/masterdata/former.ts';
import { openMasterdata } from '../../../src/masterdata/open.ts';
import { readMasterdata } from '../../../src/masterdata/read.ts';
import {
  asGo,
  inShape,
  inTwo,
  lacking,
  members,
  quelleOf,
  shapes,
  single,
  writeShape,
} from '../../support/bamort/former.ts';
import { makeTmpDir } from '../../support/tmp.ts';

const entities = await readEntities(join(import.meta.dirname, '../../../masterdata'));
const formats = { recognise, steps };

const step = (from: string) => steps.find((each) => each.from === from)!;

function run(from: string, files: FormerFiles): { files: FormerFiles; notes: string[] } {
  const notes: string[] = [];
  return { files: step(from).convert(files, (text) => notes.push(text)), notes };
}

async function rowsIn(dir: string): Promise<Record<string, unknown>> {
  const rows: Record<string, unknown> = {};
  for (const { file } of entities.entities) {
    rows[file] = JSON.parse(await readFile(join(dir, file), 'utf8')).data;
  }
  return rows;
}

describe('master data in a former format', () => {
  for (const shape of shapes) {
    test(`format ${shape} is recognised, and becomes the same rows of 2.0`, async (t) => {
      const tmpDir = await makeTmpDir(t);
      const dir = join(tmpDir, 'former');
      await writeShape(shape, dir);

      const opened = await openMasterdata(dir, { entities, formats, tmpDir });

      assert.equal(opened.conversion?.from, shape);
      const expected = Object.fromEntries(
        Object.entries(inTwo).map(([name, rows]) => [
          name,
          lacking[shape].includes(name) ? [] : rows,
        ]),
      );
      assert.deepEqual(await rowsIn(opened.dir), expected);
      await readMasterdata(opened.dir, entities);
      await opened.remove();
    });
  }

  test('the single file of format 0 becomes rows without ids, and keeps what there was of sources', async (t) => {
    const tmpDir = await makeTmpDir(t);
    const file = join(tmpDir, 'export.json');
    await writeFile(file, asGo(single));

    const { dir, conversion } = await openMasterdata(file, { entities, formats, tmpDir });

    assert.equal(conversion?.from, '0');
    assert.equal(conversion.steps.length, 7);
    const former = Object.values(members);
    const expected = Object.entries(inTwo).map(([name, rows]) => {
      const raw = rows.map(({ source_code: code, ...row }) => {
        return { ...row, quelle: quelleOf({ source_code: code, ...row }) };
      });
      return [name, former.includes(name) ? raw : []];
    });
    assert.deepEqual(await rowsIn(dir), Object.fromEntries(expected));
    await readMasterdata(dir, entities);
    assert.deepEqual(conversion.notes, [
      'left out: id, source_id',
      'transportations: 1 of its rows are containers, and left out',
      'skills.json: Schiﬀe lenken has no learn cost for its category; none is made up',
      'skills.json: Boote flicken has no learn cost for its category; none is made up',
      'weapon_skills.json: Bootshaken has no learn cost for its category; none is made up',
    ]);
  });

  test('in another encoding than UTF-8 is refused; a byte order mark is no part of it', async (t) => {
    const tmpDir = await makeTmpDir(t);
    const dir = join(tmpDir, 'former');
    await writeShape('1.5', dir);
    const sources = join(dir, 'sources.json');
    const text = await readFile(sources, 'utf8');
    assert.match(text, /Müller/);

    await writeFile(sources, Buffer.from(text, 'latin1'));
    await assert.rejects(openMasterdata(dir, { entities, formats, tmpDir }), {
      code: 'MASTERDATA_INVALID',
      message: 'the file is not UTF-8',
    });
    await writeFile(sources, `\uFEFF${text}`);
    const { conversion } = await openMasterdata(dir, { entities, formats, tmpDir });
    assert.equal(conversion?.from, '1.5');
  });

  test('a folder of other lists is refused, with what was expected', async (t) => {
    const tmpDir = await makeTmpDir(t);
    await mkdir(join(tmpDir, 'other'));
    await writeFile(join(tmpDir, 'other', 'things.json'), '[]');

    await assert.rejects(openMasterdata(join(tmpDir, 'other'), { entities, formats, tmpDir }), {
      code: 'MASTERDATA_INVALID',
      message: /metadata\.json of format 2\.0/,
    });
  });

  test('a folder that says which former format it has is converted from that one', async (t) => {
    const tmpDir = await makeTmpDir(t);
    const dir = join(tmpDir, 'former');
    await writeShape('1.4', dir);
    await writeFile(join(dir, 'metadata.json'), '{"export_version": "1.4"}');
    const believes = JSON.parse(await readFile(join(dir, 'believes.json'), 'utf8'));
    await writeFile(join(dir, 'believes.json'), JSON.stringify({ data: believes }));

    const opened = await openMasterdata(dir, { entities, formats, tmpDir });

    assert.equal(opened.conversion?.from, '1.4');
    const rows = await rowsIn(opened.dir);
    assert.deepEqual(rows['believes.json'], inTwo['believes.json']);
  });

  test('a folder that says that it has one which no step leads on from is refused with a way on', async (t) => {
    const tmpDir = await makeTmpDir(t);
    const dir = join(tmpDir, 'former');
    await writeShape('1.4', dir);
    await writeFile(join(dir, 'metadata.json'), '{"export_version": "0.9"}');

    const opened = await openMasterdata(dir, { entities, formats, tmpDir });
    await assert.rejects(readMasterdata(opened.dir, entities), {
      code: 'MASTERDATA_INVALID',
      message: /it has format 0\.9: export it again with a release that writes 2\.0/,
    });
  });

  test('a file with names of what every object has is none', async (t) => {
    const tmpDir = await makeTmpDir(t);
    const file = join(tmpDir, 'export.json');
    await writeFile(file, '{"toString": [], "constructor": [], "__proto__": []}');

    await assert.rejects(openMasterdata(file, { entities, formats, tmpDir }), {
      code: 'MASTERDATA_INVALID',
      message: /nor any former format that is known/,
    });
  });

  test('rows that are not of the shape that they look like are refused', async (t) => {
    const tmpDir = await makeTmpDir(t);
    const dir = join(tmpDir, 'former');
    await writeShape('1.5', dir);
    const skills = [{ name: 'Reiten', game_system: 'midgard', categories_difficulties: 7 }];
    await writeFile(join(dir, 'skills.json'), JSON.stringify(skills));

    await assert.rejects(openMasterdata(dir, { entities, formats, tmpDir }), {
      code: 'MASTERDATA_INVALID',
      message: 'these are not master data of format 1.5',
    });
  });

  test('a chain without a way to the current format is refused', () => {
    assert.throws(() => convertFormer({ recognise, steps: [] }, '1.0', {}), {
      code: 'MASTERDATA_INVALID',
    });
  });
});

describe('the steps', () => {
  test('0 → 1.0: members become files, old field names the new ones', () => {
    const { files } = run('0', { skills: single['skills']!, equipments: single['equipments']! });

    assert.equal(files['equipment.json']!.length, 1);
    assert.equal(files['skills.json']![0]!['innate_skill'], false);
    assert.ok(!('innateskill' in files['skills.json']![0]!));
  });

  test('0 → 1.0: of what carries things only containers that were read for it are left out', () => {
    const [chest, cart] = [
      { id: 1, name: 'Truhe' },
      { id: 2, name: 'Karren' },
    ];
    const { files, notes } = run('0', {
      containers: [chest, { id: 3, name: 'Karren' }],
      transportations: [chest, cart],
    });

    assert.deepEqual(files['transportation.json'], [{ name: 'Karren' }]);
    assert.deepEqual(files['containers.json'], [{ name: 'Truhe' }, { name: 'Karren' }]);
    assert.match(notes.join('\n'), /transportations: 1 of its rows are containers/);
  });

  test('1.0 → 1.1: category and difficulty become categories_difficulties, with the cost of the file of costs', () => {
    const { files } = run('1.0', inShape('1.0'));

    assert.deepEqual(files['skills.json']![0]!['categories_difficulties'], [
      { category: 'Handwerk', difficulty: 'normal', learn_cost: 4 },
    ]);
  });

  test('1.0 → 1.1: a skill without a cost gets none made up, and is named', () => {
    const { files, notes } = run('1.0', {
      ...inShape('1.0'),
      'skill_category_difficulties.json': [],
    });

    assert.ok(!('categories_difficulties' in files['skills.json']![0]!));
    assert.match(notes[0]!, /Schiﬀe lenken/);
  });

  test('1.1 → 1.2: the costs of weapon skills get a file', () => {
    assert.deepEqual(
      run('1.1', inShape('1.1')).files['weaponskill_category_difficulties.json'],
      [],
    );
  });

  test('1.2 → 1.3 and 1.3 → 1.4: files that did not exist are empty', () => {
    assert.deepEqual(run('1.2', inShape('1.2')).files['class_spell_points.json'], []);
    assert.deepEqual(run('1.3', inShape('1.3')).files['misc_lookups.json'], []);
  });

  test('1.4 → 1.5: five files get the id of their game system', () => {
    const { files } = run('1.4', inShape('1.4'));

    assert.equal(files['spells.json']![0]!['game_system_id'], 1);
    assert.equal(files['misc_lookups.json']![0]!['game_system_id'], 1);
    assert.ok(!('game_system_id' in files['weapons.json']![0]!));
  });

  test('1.5 → 2.0: one name for a game system, and no id', () => {
    const { files } = run('1.5', inShape('1.5'));

    assert.deepEqual(files, inTwo);
  });

  test('1.5 → 2.0: a class that is named by the wrong one of code and name is found', () => {
    const former = inShape('1.5');
    const { files } = run('1.5', {
      ...former,
      'class_category_ep_costs.json': [
        { character_class_code: 'Küstenwächter', skill_category_name: 'Handwerk', ep_per_te: 10 },
      ],
      'class_spell_points.json': [{ class_name: 'Wan', class_system: 'M-System', spell_points: 2 }],
    });

    assert.deepEqual(files, inTwo);
  });

  test('1.5 → 2.0: two costs for one thing are told, the one of the file of costs stays', () => {
    const former = inShape('1.5');
    const [first, ...rest] = former['skill_category_difficulties.json']!;
    const { files, notes } = run('1.5', {
      ...former,
      'skill_category_difficulties.json': [{ ...first, learn_cost: 9 }, ...rest],
    });

    assert.equal(files['skill_category_difficulties.json']![0]!['learn_cost'], 9);
    assert.match(notes[0]!, /another learn cost \(4\).*says 9, which is kept/);
  });

  test('1.5 → 2.0: improvement costs of skills of one kind become one, unequal ones are told', () => {
    const former = inShape('1.5');
    const [first, second] = former['skill_improvement_costs.json']!;
    const { files, notes } = run('1.5', {
      ...former,
      'skill_improvement_costs.json': [first!, { ...second, te_required: 5 }],
    });

    assert.equal(files['skill_improvement_costs.json']!.length, 1);
    assert.match(notes[0]!, /Boote flicken costs 5 at level 9, another skill of its kind 2/);
  });

  test('1.5 → 2.0: a game system that is null stays null', () => {
    const { files } = run('1.5', { 'believes.json': [{ name: 'x', game_system: null }] });

    assert.deepEqual(files['believes.json'], [{ name: 'x', game_system: null }]);
  });

  test('none of them changes what it is given', () => {
    for (const shape of shapes) {
      const former = inShape(shape);
      const before = JSON.stringify(former);
      convertFormer(formats, shape, former);
      assert.equal(JSON.stringify(former), before);
    }
  });
});
