/** A program that starts a scratch server and then ends in the way it is told: for tests of what it leaves behind. */
import { existsSync } from 'node:fs';
import { startScratch } from '../../src/scratch/server.ts';

const [dir = '', ending = ''] = process.argv.slice(2);
const scratch = await startScratch({ dir, bufferPoolMb: 32 });
process.stdout.write(`${JSON.stringify({ pid: scratch.pid, dir: scratch.dir })}\n`);

if (ending === 'end') await scratch.stop();
if (ending === 'exit') process.exit(0);
if (ending === 'throw') throw new Error('as told');
// Exit code 3: the server was still there for whoever handles the signal.
if (ending === 'listens') {
  process.on('SIGTERM', () => setImmediate(() => process.exit(existsSync(scratch.dir) ? 3 : 4)));
}
// Whatever else: stays alive until a signal comes.
if (ending !== 'end') setInterval(() => {}, 1000);
