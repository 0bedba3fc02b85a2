import { tmpdir } from 'node:os';

/** Where tests keep what they make: in memory when `npm test` found room there. */
export const testTmp = process.env['DEPLOY_TEST_TMPDIR'] ?? tmpdir();
