#!/usr/bin/env node
/**
 * `probe.ts live|ready`: asks the sidecar on this machine; exit 0 for yes, 1 for no. For HEALTHCHECK
 * and Kubernetes, which run it every few seconds: so it loads next to nothing, and reads two
 * variables only.
 */
import { get } from 'node:http';
import process from 'node:process';
import type { Env } from '../src/config/env-files.ts';
import { variables } from '../src/config/variables.ts';

const paths: Readonly<Record<string, string>> = { live: '/livez', ready: '/readyz' };
/** The sidecar answers within 3 s whatever the database does. */
const limitMs = 4_000;

const path = paths[process.argv[2] ?? ''];
const answer = path === undefined ? 'usage: probe.ts live|ready' : await ask(path, process.env);
// What docker keeps of a probe is its output: `docker inspect` shows why a container is unhealthy.
process.stdout.write(`${answer ?? 'ok'}\n`);
process.exitCode = answer === null ? 0 : 1;

/** Gives null for yes, else why not. */
function ask(path: string, env: Env): Promise<string | null> {
  const { HEALTH_HOST, HEALTH_PORT } = variables;
  const port = HEALTH_PORT.parse(env['HEALTH_PORT']?.trim() || HEALTH_PORT.default);
  const host = HEALTH_HOST.parse(env['HEALTH_HOST']?.trim() || HEALTH_HOST.default);
  const everywhere = host === '0.0.0.0' || host === '::';
  return new Promise((resolve) => {
    const request = get({ host: everywhere ? '127.0.0.1' : host, port, path, agent: false });
    // Of the whole answer: whoever sends it drop by drop is no sidecar that works.
    const limit = setTimeout(() => {
      resolve(`no whole answer within ${limitMs} ms`);
      request.destroy();
    }, limitMs);
    request.on('close', () => clearTimeout(limit));
    request.on('error', (error) => resolve(error.message));
    request.on('response', (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('close', () => {
        const isYes = response.statusCode === 200 && response.complete;
        resolve(isYes ? null : `${response.statusCode} ${body}`);
      });
    });
  });
}
