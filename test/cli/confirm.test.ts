/** The question before something that destroys or goes back, on a real terminal: `script` makes one. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';

const module = path.resolve(import.meta.dirname, '../../src/cli/confirm.ts');
const program = `import { confirm } from ${JSON.stringify(module)};
  const { stdout, stderr } = process;
  const world = { env: {}, streams: { stdout, stderr }, stop: new AbortController().signal };
  await confirm(world, 'All rows will go.', {}).then(
    () => console.log('ended: confirmed'), ({ code }) => console.log('ended: ' + code));`;

for (const [keys, name, end] of [
  ['yes\n', 'yes is a yes', 'confirmed'],
  ['y\n', 'anything else is a no', 'NOT_CONFIRMED'],
  ['\u0004', 'Ctrl-D is a no', 'NOT_CONFIRMED'],
  ['\u0003', 'Ctrl-C is an interruption', 'INTERRUPTED'],
] as const) {
  test(`at the question on a terminal, ${name}`, async () => {
    assert.match(await answer(keys), new RegExp(`ended: ${end}\\r\\n$`));
  });
}

/** Types the keys as soon as it asks; gives all that stood on the terminal. */
function answer(keys: string): Promise<string> {
  const command = `${process.execPath} --input-type=module -e '${program.replaceAll("'", "'\\''")}'`;
  const child = spawn('script', ['--quiet', '--command', command, '/dev/null']);
  return new Promise((resolve, reject) => {
    let shown = '';
    child.once('error', reject);
    child.once('close', () => resolve(shown));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const hadAsked = shown.includes('Type yes');
      shown += text;
      if (!hadAsked && shown.includes('Type yes')) child.stdin.write(keys);
    });
  });
}
