/**
 * A run as a process of its own, for tests that stop, kill or multiply it: takes the lock, says so
 * as a line of JSON, and does what the lines on its standard input say. Not a test.
 */
import { createInterface } from 'node:readline';
import sql from 'sql-template-tag';
import { connect } from '../../../src/database/connect.ts';
import { quoteName } from '../../../src/database/identifier.ts';
import { holdLock } from '../../../src/database/lock.ts';

const [socketPath = '', database = '', runId = '', leaseMs = '2000'] = process.argv.slice(2);
const address = { host: '', port: 0, socketPath, user: 'root', password: '' };
const silent = () => {};
const log = { trace: silent, debug: silent, info: silent, warn: silent, error: silent };

function say(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

const { hold, waited } = await holdLock(() => connect(address, { database }), {
  database,
  runId,
  waitMs: 60_000,
  log,
  timing: { leaseMs: Number(leaseMs), heartbeatMs: Number(leaseMs) / 5 },
});
const other = await connect(address, { database });
await hold.register(other.id);
hold.signal.addEventListener('abort', () => say({ aborted: hold.signal.reason.code }));
say({ epoch: hold.epoch, connectionId: hold.db.id, otherId: other.id, waited });

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'write') {
    const table = quoteName('written');
    const attempts = [
      hold.db.run(
        sql`INSERT INTO ${table} SELECT ${`${runId} guarded`} FROM DUAL WHERE ${hold.guard}`,
      ),
      hold.db.run(sql`INSERT INTO ${table} VALUES (${`${runId} working`})`),
      other.run(sql`INSERT INTO ${table} VALUES (${`${runId} other`})`),
    ];
    const results = await Promise.allSettled(attempts);
    say({ written: results.map(({ status }) => status) });
  } else if (line.startsWith('run ')) {
    hold.db.run(line.slice('run '.length)).catch(silent);
  } else if (line === 'release') {
    await hold.release();
    other.destroy();
    say({ released: true });
    process.exit(0);
  }
}
