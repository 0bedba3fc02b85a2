/** Rows may come from outside; what they mean, and code, only ever from the image. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Config } from '../../../src/config/config.ts';
import { makeMasterdataSource } from '../../../src/run/masterdata-source.ts';
import { makeDir, writeChanged } from '../../support/masterdata.ts';

test('a folder from outside is not taken for its own declaration where the image has none', async (t) => {
  const dir = await makeDir(t);
  await writeChanged(dir, () => {});
  await writeFile(join(dir, 'formats.ts'), "throw new Error('this code was run');\n");
  const config = { masterdata: 'always', masterdataDir: null, package: null, scratchDir: dir };
  const folder = { dir, versions: [], migrations: [] };

  const source = makeMasterdataSource(config as unknown as Config, folder as never, dir);

  await assert.rejects(source.get(), { code: 'CONFIG_INVALID', message: /MASTERDATA_DIR/ });
});
