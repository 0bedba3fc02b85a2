#!/usr/bin/env node
/** Environment → sidecar → exit code. Runs until it is told to stop. */
import process from 'node:process';
import { makeLog } from '../src/cli/log.ts';
import { toolVersion } from '../src/cli/tool-version.ts';
import { loadConfig } from '../src/config/load.ts';
import { serverText } from '../src/database/server-errors.ts';
import { exitCodeOf, renderFailure } from '../src/errors/render.ts';
import { openMigrations } from '../src/migrations/files.ts';
import { startHealth } from './start.ts';

// Everything is loaded now, and with NODE_COMPILE_CACHE kept as JavaScript: the process that serves
// need not load the compiler, which would stay in its memory.
if (process.argv[2] === '--compile') process.exit();

try {
  const config = loadConfig(process.env);
  const log = makeLog(config, { stderr: process.stderr });
  for (const warning of config.warnings) log.warn(warning);
  const sidecar = await startHealth({
    config,
    log,
    folder: () => openMigrations(config.migrationsDir),
    toolVersion: toolVersion(),
    // Set when the image is built; a checkout has none of them.
    toolRelease: process.env['DEPLOY_RELEASE'] || null,
    toolCommit: process.env['DEPLOY_COMMIT'] || null,
    toolBuildDate: process.env['DEPLOY_BUILD_DATE'] || null,
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info(`told to stop (${signal})`);
      void sidecar.stop();
    });
  }
} catch (error) {
  process.exitCode = exitCodeOf(error);
  process.stderr.write(
    renderFailure({
      error,
      exitCode: exitCodeOf(error),
      database: 'not touched',
      secrets: [],
      explain: (cause) => ('errno' in Object(cause) ? serverText(cause) : null),
    }),
  );
}
