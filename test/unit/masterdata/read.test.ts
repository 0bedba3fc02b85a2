import assert from 'node:assert/strict';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { DeployError } from '../../../src/errors/deploy-error.ts';
import { makeDir, masterdataDir, readSet } from '../../support/masterdata.ts';

async function copyOfSample(t: TestContext): Promise<string> {
  const dir = await makeDir(t);
  await cp(masterdataDir, dir, { recursive: true });
  return dir;
}

async function edit(dir: string, file: string, change: (text: string) => string): Promise<void> {
  const path = join(dir, file);
  await writeFile(path, change(await readFile(path, 'utf8')));
}

async function problemsOf(dir: string): Promise<string[]> {
  const error = await readSet(dir).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof DeployError && error.code === 'MASTERDATA_INVALID', String(error));
  const problems = error.facts['problems'] as { where: string; message: string }[] | undefined;
  return problems?.map(({ where, message }) => `${where}: ${message}`) ?? [error.message];
}

describe('reading master data', () => {
  test('gives the rows of each file, as often as one asks', async () => {
    const set = await readSet(masterdataDir);
    const source = set.data.find(({ entity }) => entity.name === 'sources')!;

    for (let round = 0; round < 2; round += 1) {
      const rows = (await Array.fromAsync(source.rows())).flat();
      assert.deepEqual(
        rows.map(({ index, value }) => `${index} ${(value as { code: string }).code}`),
        ['0 GDB', '1 KDZ', '2 RDK'],
      );
    }
  });

  test('refuses a file that is not the one of the metadata, and all such at once', async (t) => {
    const dir = await copyOfSample(t);
    await edit(dir, 'sources.json', (text) => text.replace('Grundbuch', 'Grundbuck'));
    await edit(dir, 'weapons.json', (text) => `${text} `);
    await rm(join(dir, 'spells.json'));

    assert.deepEqual(await problemsOf(dir), [
      'sources.json: the file is not the one of metadata.json: sha256',
      'spells.json: the file cannot be read',
      'weapons.json: the file is not the one of metadata.json: sha256',
    ]);
  });

  test('refuses a set that lacks a file or has one too many', async (t) => {
    const dir = await copyOfSample(t);
    await edit(dir, 'metadata.json', (text) => text.replace('"spells.json"', '"spelts.json"'));

    assert.deepEqual(await problemsOf(dir), [
      'metadata.json: spells.json is not listed, and an entity needs it',
      'metadata.json: spelts.json is listed, and is that of no entity',
    ]);
  });

  for (const [version, expected] of [
    ['3.0', /it has format 3\.0, and this program reads formats up to 2/],
    ['2.9', /it has format 2\.9, and this program reads formats up to 2\.0/],
    ['1.4', /it has format 1\.4: export it again/],
    ['new', /new is not a version of the export format/],
  ] as const) {
    test(`refuses format ${version}`, async (t) => {
      const dir = await copyOfSample(t);
      await edit(dir, 'metadata.json', (text) => text.replace('"2.0"', `"${version}"`));

      assert.match((await problemsOf(dir))[0]!, expected);
    });
  }

  test('refuses a file that was changed between the check and the sync', async (t) => {
    const dir = await copyOfSample(t);
    const set = await readSet(dir);
    await edit(dir, 'sources.json', (text) => text.replace('Grundbuch', 'Grundbuck'));

    const source = set.data.find(({ entity }) => entity.name === 'sources')!;
    await assert.rejects(Array.fromAsync(source.rows()), /not the one of metadata\.json/);
  });

  test('refuses nested values, also deeper ones than the stack holds', async (t) => {
    const dir = await copyOfSample(t);
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    await edit(dir, 'sources.json', (text) => text.replace('"Grundbuch"', deep));
    await edit(dir, 'weapons.json', (text) => text.replace(/"data": \[/, `$& ${deep},`));

    const problems = await problemsOf(dir);
    assert.ok(problems.includes('sources.json data[0]: name: not a single value'), problems.join());
    assert.ok(problems.includes('weapons.json data[0]: this is not an object'));
  });

  test('refuses a file that is not UTF-8, or no JSON, and says where it stops', async (t) => {
    const dir = await copyOfSample(t);
    await writeFile(join(dir, 'sources.json'), Buffer.from([0x7b, 0x22, 0xff, 0x22]));
    await edit(dir, 'weapons.json', (text) => text.slice(0, -30));

    const problems = await problemsOf(dir);
    assert.equal(problems[0], 'sources.json: the file is not UTF-8');
    assert.match(
      problems[1]!,
      /^weapons\.json: the file is not JSON after data\.\d+: the text ends too early$/,
    );
  });

  test('has the same digest for another time and layout, and another one for another value', async (t) => {
    const { digest, metadata } = await readSet(masterdataDir);
    const { createHash } = await import('node:crypto');
    const dir = await copyOfSample(t);
    const replace = async (change: (text: string) => string) => {
      await edit(dir, 'sources.json', change);
      const text = await readFile(join(dir, 'sources.json'));
      const sha256 = createHash('sha256').update(text).digest('hex');
      const listed = { ...metadata, timestamp: 'later' };
      const files = { ...metadata.files, 'sources.json': { sha256, count: 3 } };
      await writeFile(join(dir, 'metadata.json'), JSON.stringify({ ...listed, files }));
    };

    await replace((text) => JSON.stringify({ ...JSON.parse(text), timestamp: 'later' }));
    assert.equal((await readSet(dir)).digest, digest);

    await replace((text) => text.replace('Grundbuch', 'Grundbuck'));
    assert.notEqual((await readSet(dir)).digest, digest);
  });
});
