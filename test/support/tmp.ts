import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where tests keep what they make: in memory when `npm test` found room there. */
export const testTmp = process.env['DEPLOY_TEST_TMPDIR'] ?? tmpdir();

/** A folder of one test, removed when it ends. */
export async function makeTmpDir(t: { after(fn: () => Promise<void>): void }): Promise<string> {
  const dir = await mkdtemp(join(testTmp, 'deploy-test-files-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}
