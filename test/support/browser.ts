/** A page with the banner in a real browser, beside the real sidecar; what the sidecar sees is set by the test. */
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { Health } from '../../healthcheck/decide-health.ts';
import { makeHealthServer } from '../../healthcheck/server.ts';
import { makeLog } from '../../src/cli/log.ts';
import { findProgram } from './programs.ts';
import type { Cleanup } from './server.ts';

/** Headless; one for a test file, as its start takes a second. */
export async function startBrowser(t: Cleanup): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: findProgram('chromium', 'chromium-browser', 'google-chrome'),
    // Chromium refuses to run as root with its sandbox; /dev/shm may be small in a container.
    args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), '--disable-dev-shm-usage'],
  });
  t.after(() => browser.close());
  return browser;
}

export type Application = {
  readonly url: string;
  /** Requests to the sidecar that came from the page. */
  readonly asked: IncomingMessage[];
  /** What the sidecar knows from now on. */
  set(health: Health): void;
  /** How the sidecar, or what is in its place, answers from now on. */
  sidecar(is: Place): void;
};

/**
 * `away`: the proxy has nobody to ask; `unproxied`: the application answers every path with its
 * page; `busy`: 429; `another`: a service whose JSON has nothing to do with health.
 */
type Place = 'there' | 'away' | 'unproxied' | 'busy' | 'another';

const log = makeLog(
  { logLevel: 'silent', logFormat: 'json', secrets: [] },
  { stderr: process.stderr },
);

/**
 * An application on one port: its page at every path, as a single-page application has it, and
 * the sidecar under `/deploy-health` through a proxy that names the client's address.
 */
export async function startApplication(
  t: Cleanup,
  page: string,
  first: Health,
): Promise<Application> {
  let health = first;
  let where: Place = 'there';
  const asked: IncomingMessage[] = [];
  const sample = async () => ({ value: health, ageMs: 10, isStale: false });
  const sidecar = makeHealthServer({
    about: {
      config: { backendVersion: '0.5.0', backendCommit: null, backendBuildDate: null },
      ...{
        toolVersion: '1.0.0',
        toolRelease: null,
        toolCommit: null,
        toolBuildDate: null,
        nodeVersion: 'v26.0.0',
      },
    },
    sampler: { sample, current: sample },
    health: {
      ...{ host: '127.0.0.1', port: 0, cacheMs: 0, baseUrl: null, trustProxy: true },
      // Which requests are too many, a test says.
      ...{ rateLimitPerSecond: 1_000, metricsPrefix: 'bamort' },
    },
    log,
  });
  await sidecar.listen({ host: '127.0.0.1', port: 0 });
  const { port } = sidecar.server.address() as AddressInfo;

  const application = createServer((incoming, outgoing) => {
    const below = /^\/deploy-health(\/.*)$/.exec(incoming.url ?? '')?.[1];
    const isScript = below?.endsWith('.js') === true;
    if (below === undefined || (where === 'unproxied' && !isScript)) {
      outgoing.setHeader('content-type', 'text/html; charset=utf-8');
      outgoing.end(page);
      return;
    }
    asked.push(incoming);
    if (where === 'away' && !isScript) {
      incoming.socket.destroy();
      return;
    }
    if ((where === 'busy' || where === 'another') && !isScript) {
      outgoing.statusCode = where === 'busy' ? 429 : 200;
      outgoing.setHeader('content-type', 'application/json; charset=utf-8');
      outgoing.end(JSON.stringify(where === 'busy' ? { error: 'x' } : ['status', 'warning']));
      return;
    }
    const headers = { ...incoming.headers, 'x-forwarded-for': '203.0.113.7' };
    const onward = request({ port, path: below, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.end();
  });
  await listen(application);
  t.after(async () => {
    application.closeAllConnections();
    application.close();
    await sidecar.close();
  });
  return {
    url: `http://127.0.0.1:${(application.address() as AddressInfo).port}/`,
    asked,
    set(next) {
      health = next;
    },
    sidecar(is) {
      where = is;
    },
  };
}

/** Keeps a picture for a person to look at, if SCREENSHOT_DIR says where. */
export async function takeScreenshot(page: Page, name: string): Promise<void> {
  const dir = process.env['SCREENSHOT_DIR'];
  if (dir !== undefined) await page.screenshot({ path: path.join(dir, `${name}.png`) });
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
}
