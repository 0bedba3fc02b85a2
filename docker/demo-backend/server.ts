/**
 * The demo backend: refuses to start on a database that is not the one of its release, as a real
 * backend should, and then shows at `GET /` what it sees. It asks the sidecar, so it needs no packages.
 */

import { createServer } from 'node:http';
import process from 'node:process';

type Health = {
  readonly backend_version: string | null;
  readonly required_db_version: string | null;
  readonly actual_db_version: string | null;
  readonly compatible: boolean;
  readonly compatibility_reason: string;
};

const release = process.env['BACKEND_VERSION'] ?? '';
const healthUrl = process.env['HEALTH_URL'] ?? 'http://health:8183';
const port = 8180;

/** As PID 1 it would ignore signals without a handler. */
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));

const reason = whyNot(await readHealth());
if (reason !== null) {
  process.stderr.write(`backend ${release}: does not start: ${reason}\n`);
  process.exit(1);
}

const server = createServer(async (_request, response) => {
  const body = {
    service: 'demo backend',
    release,
    started_at: startedAt,
    database: await readHealth(),
  };
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body, null, 2)}\n`);
});
const startedAt = new Date().toISOString();
server.listen(port, '0.0.0.0', () => {
  process.stdout.write(`backend ${release}: serves on port ${port}\n`);
});

/** The sidecar's answer, or null when it gives none that can be understood. */
async function readHealth(): Promise<Health | null> {
  try {
    const response = await fetch(`${healthUrl}/api/system/health`, {
      signal: AbortSignal.timeout(5000),
    });
    return (await response.json()) as Health;
  } catch {
    return null;
  }
}

/** Why this release must not work with this database; null when it may. */
function whyNot(health: Health | null): string | null {
  if (health === null) return `the sidecar at ${healthUrl} does not answer`;
  const { backend_version, required_db_version, actual_db_version } = health;
  if (backend_version !== release) return `the sidecar belongs to release ${backend_version}`;
  if (health.compatible && actual_db_version === required_db_version) return null;
  return `the database is at ${actual_db_version ?? 'no version'}, and ${required_db_version} is required (${health.compatibility_reason})`;
}
