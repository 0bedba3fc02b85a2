/**
 * `npm run check`: format and lint (Biome), types (TypeScript), and the rules that no linter knows:
 * imports, sizes, and generated documents that are up to date.
 */

import { join } from 'node:path';
import { $ } from 'zx';

const checks = [
  { name: 'format and lint', command: ['biome', 'check', '--error-on-warnings'] },
  { name: 'types', command: ['tsc', '--noEmit'] },
  {
    name: 'imports, sizes, documents',
    command: ['node', '--test', '--test-reporter=dot', 'test/unit/tidy/*.test.ts'],
  },
];

const root = join(import.meta.dirname, '..');
const path = `${join(root, 'node_modules', '.bin')}:${process.env['PATH'] ?? ''}`;
const run = $({ cwd: root, env: { ...process.env, PATH: path }, stdio: 'inherit', nothrow: true });

const failed: string[] = [];
for (const { name, command } of checks) {
  const { exitCode } = await run`${command}`;
  if (exitCode !== 0) failed.push(name);
}
console.error(failed.length === 0 ? 'check: all is well' : `check: failed: ${failed.join('; ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
