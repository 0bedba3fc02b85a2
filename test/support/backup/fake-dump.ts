import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Cleanup } from '../server.ts';

/**
 * Puts a `mariadb-dump` before the real one on this process's PATH, until the test ends. In
 * `script` (bash) the real program is `$real`; its arguments are `"$@"`.
 */
export function withFakeDump(t: Cleanup, script: string): void {
  const dir = mkdtempSync(join(tmpdir(), 'deploy-fake-dump-'));
  const path = process.env['PATH'] ?? '';
  const find = `real=$(PATH=${JSON.stringify(path)} command -v mariadb-dump)`;
  writeFileSync(join(dir, 'mariadb-dump'), `#!/bin/bash\n${find}\n${script}\n`);
  chmodSync(join(dir, 'mariadb-dump'), 0o755);
  process.env['PATH'] = `${dir}${delimiter}${path}`;
  t.after(async () => {
    process.env['PATH'] = path;
    rmSync(dir, { recursive: true, force: true });
  });
}
