import process from 'node:process';
import type { CommonOptions, World } from './invoke.ts';
import { toolVersion } from './tool-version.ts';

/** `deploy version`: needs no settings and no server. */
export async function versionCommand(
  { env, streams }: World,
  flags: CommonOptions,
): Promise<number> {
  const value = {
    version: toolVersion(),
    node_version: process.version,
    backend_version: env['BACKEND_VERSION'] ?? null,
    backend_commit: env['BACKEND_COMMIT'] ?? null,
    backend_build_date: env['BACKEND_BUILD_DATE'] ?? null,
  };
  const text = `bamort-deploy ${value.version} (node ${value.node_version}), backend ${value.backend_version ?? 'not told'}\n`;
  streams.stdout.write(flags.json ? `${JSON.stringify(value, null, 2)}\n` : text);
  return 0;
}
