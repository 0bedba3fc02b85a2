#!/usr/bin/env node
/** Environment → sidecar → exit code. Runs until it is told to stop. */
import process from 'node:process';
import { makeLog } from '../src/cli/log.ts';
import { toolVersion } from '../src/cli/tool-version.ts';
import { loadConfig } from '../src/config/load.ts';
import { serverText } from '../src/database/server-errors.ts';
import { exitCodeOf, renderFailure } from '../src/errors/render.ts';
import { readMigrations } from '../src/migrations/files.ts';
import { startHealth } from './start.ts';

try {
  const config = loadConfig(process.env);
  const log = makeLog(config, { stderr: process.stderr });
  for (const warning of config.warnings) log.warn(warning);
  const sidecar = await startHealth({
    config,
    log,
    folder: () => readMigrations(config.migrationsDir),
    toolVersion: toolVersion(),
    // Set when the image is built; a checkout has neither.
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
