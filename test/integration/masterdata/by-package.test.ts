/** The rules of a database in use, in a package, and in another database. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { openPackage } from '../../../src/bundle/open-package.ts';
import { writePackage } from '../../../src/bundle/write-package.ts';
import { readEntities } from '../../../src/masterdata/entities.ts';
import { exportMasterdata } from '../../../src/masterdata/export.ts';
import { readMasterdata } from '../../../src/masterdata/read.ts';
import { runUpTo, runVersion } from '../../support/bamort/migrate.ts';
import { fillVersion040 } from '../../support/bamort/rows.ts';
import { makeDir, makeSchema, masterdataDir, syncAndCommit } from '../../support/masterdata.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });

describe('the rules of a database in use', () => {
  test('travel by a package into a fresh installation, whose export has the same bytes', async (t) => {
    const db = await server.connect(await server.createDatabase());
    await runUpTo(db, '0.4.0');
    await fillVersion040(db, { characters: 3 });
    await runVersion(db, '0.5.0');
    // No import would take these, so that prepare refuses them.
    await db.run("DELETE FROM gsm_believes WHERE name = ''");
    await db.run("DELETE FROM gsm_skills WHERE name = 'Placeholder'");
    const entities = await readEntities(masterdataDir);
    const about = { backendVersion: '', dbVersion: '0.5.0', timestamp: '', gameSystem: '' };
    const [first, second, tmpDir] = [await makeDir(t), await makeDir(t), await makeDir(t)];
    await exportMasterdata(db, entities, first, about);
    const output = join(tmpDir, 'package.tar.gz');
    const version = '0.5.0';
    const createdAt = new Date(0);
    await writePackage({ masterdataDir: first, version, toolVersion: '1', output, createdAt });
    const fresh = await server.connect(await server.createDatabase());
    await makeSchema(fresh);

    const opened = await openPackage(output, { expectedVersion: version, tmpDir });
    await syncAndCommit(fresh, await readMasterdata(opened.dir, entities));

    const { files } = await exportMasterdata(fresh, entities, second, about);
    const counts = Object.values(files).map(({ count }) => count);
    assert.ok(counts.reduce((sum, count) => sum + count, 0) > 100, counts.join());
    for (const name of ['metadata.json', ...Object.keys(files)]) {
      const [a, b] = [await readFile(join(first, name)), await readFile(join(second, name))];
      assert.ok(a.equals(b), name);
    }
  });
});
