/** A legacy Bamort database on its way to 0.5.0, back, and forward again. In a file of its own: it takes long. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { legacySite, stepwise } from '../../support/bamort/legacy.ts';
import { type Picture, takePicture } from '../../support/picture.ts';
import { startTestServer } from '../../support/server.ts';

const server = await startTestServer({ after });

const structureOf = (picture: Picture) =>
  Object.fromEntries(
    Object.entries(picture).filter(([key]) => !key.startsWith('values:') && key !== 'history'),
  );

describe('a legacy Bamort database on its way', () => {
  test('goes back to 0.4.0 and forward again, structures equal each time', async (t) => {
    const { site, db } = await legacySite(t, server, 10, 100);
    assert.equal(
      (await site.deploy(['up'], { ...stepwise, REQUIRED_DB_VERSION: '0.4.0' })).code,
      0,
    );
    const at040 = await takePicture(db, site.database);
    assert.equal((await site.deploy(['up'])).code, 0);
    const at050 = await takePicture(db, site.database);

    const back = await site.deploy(['rollback', '--to-version', '0.4.0', '--yes']);

    assert.equal(back.code, 0, back.stderr);
    assert.deepEqual(structureOf(await takePicture(db, site.database)), structureOf(at040));
    assert.equal((await site.deploy(['up'])).code, 13);
    const forward = await site.deploy(['up', '--forward']);
    assert.equal(forward.code, 0, forward.stderr);
    assert.deepEqual(structureOf(await takePicture(db, site.database)), structureOf(at050));
    const step = await site.deploy(['rollback', '--steps', '1', '--yes']);
    assert.equal(step.code, 0, step.stderr);
    assert.equal((await site.deploy(['up', '--forward'])).code, 0);
    assert.deepEqual(structureOf(await takePicture(db, site.database)), structureOf(at050));
  });
});
