#!/usr/bin/env node
/** argv → command → exit code. The only catch-all, and the only place that sets the exit code. */
import { enableCompileCache } from 'node:module';
import process from 'node:process';
import { DeployError } from './errors/deploy-error.ts';

// Type stripping and compiling cost more than most commands: the second start of a file is free.
enableCompileCache();
const { runCli } = await import('./cli/run-cli.ts');

const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  // A second signal changes nothing: the run is already ending, and ending twice corrupts.
  process.on(signal, () =>
    stop.abort(new DeployError('INTERRUPTED', `the run was told to stop (${signal})`)),
  );
}
for (const stream of [process.stdout, process.stderr]) {
  // A closed pipe (`deploy status | head -1`) must not stop a run that changes a database.
  stream.on('error', () => undefined);
}

try {
  process.exitCode = await runCli(process.argv.slice(2), {
    env: process.env,
    streams: { stdout: process.stdout, stderr: process.stderr },
    stop: stop.signal,
  });
} catch (error) {
  process.exitCode = 1;
  process.stderr.write(
    `deploy: unexpected error in this program\n${error instanceof Error ? error.stack : error}\n`,
  );
}

// The answer is given. Whatever still keeps the process alive must not keep compose waiting.
setTimeout(() => process.exit(), 5000).unref();
