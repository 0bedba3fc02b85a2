import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, describe, test } from 'node:test';
import { makeSite } from '../../support/deploy.ts';
import { assertConforms, startSidecar } from '../../support/health.ts';
import { startTestServer } from '../../support/server.ts';
import { openShop } from '../../support/shop.ts';

const server = await startTestServer({ after });
const site = await makeSite({ after }, server);
await openShop(site);

/** Comes from outside, as far as the sidecar can tell behind a proxy that it trusts. */
const from = (address: string) => ({ 'x-forwarded-for': address });

/** Sends raw text and gives what comes back until the connection ends. */
function sendRaw(url: string, text: string): Promise<string> {
  const { port, hostname } = new URL(url);
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.on('data', (chunk) => {
      answer += chunk.toString();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}

describe('the rate limit of the sidecar', () => {
  test('refuses the eleventh request of one address with 429 and Retry-After, and no other', async (t) => {
    const sidecar = await startSidecar(t, site, { TRUST_PROXY: 'true' });
    const paths = ['/api/system/health', '/api/system/version'];
    for (let nth = 0; nth < 10; nth++) {
      assert.equal((await sidecar.get(paths[nth % 2]!, from('203.0.113.7'))).code, 200);
    }

    const { code, body, headers } = await sidecar.get(paths[0]!, from('203.0.113.7'));

    assert.equal(code, 429);
    await assertConforms('error', body);
    const seconds = Number(headers.get('retry-after'));
    assert.ok(seconds >= 1 && seconds <= 10, String(seconds));
    assert.equal((await sidecar.get(paths[0]!, from('203.0.113.8'))).code, 200);
  });

  test('does not count probes, metrics, and this machine', async (t) => {
    const sidecar = await startSidecar(t, site, { TRUST_PROXY: 'true' });

    for (let nth = 0; nth < 15; nth++) {
      for (const path of ['/livez', '/readyz', '/metrics']) {
        assert.equal((await sidecar.get(path, from('203.0.113.7'))).code, 200);
      }
      assert.equal((await sidecar.get('/api/system/health')).code, 200);
    }
  });

  test('does not believe a client that names another address, unless told to', async (t) => {
    const sidecar = await startSidecar(t, site);

    for (let nth = 0; nth < 15; nth++) {
      assert.equal((await sidecar.get('/api/system/health', from('203.0.113.7'))).code, 200);
    }
  });

  test('believes only the address that the proxy itself has seen', async (t) => {
    const sidecar = await startSidecar(t, site, { TRUST_PROXY: 'true' });
    const codes = [];

    for (let nth = 0; nth < 11; nth++) {
      const forged = from('127.0.0.1, 203.0.113.7');
      codes.push((await sidecar.get('/api/system/version', forged)).code);
    }

    assert.equal(codes.at(-1), 429);
  });

  test('follows RATE_LIMIT_PER_SECOND: a burst of ten, then as many in a second', async (t) => {
    const env = { TRUST_PROXY: 'true', RATE_LIMIT_PER_SECOND: '100' };
    const sidecar = await startSidecar(t, site, env);
    const ask = () => sidecar.get('/api/system/version', from('203.0.113.7'));
    const codes = [];
    for (let nth = 0; nth < 11; nth++) codes.push((await ask()).code);

    assert.equal(codes[0], 200);
    const { headers } = await ask();
    assert.ok(Number(headers.get('x-ratelimit-reset')) <= 1);
  });
});

describe('an answer of the sidecar', () => {
  test('may be read by pages of BASE_URL and of no other origin', async (t) => {
    const sidecar = await startSidecar(t, site, { BASE_URL: 'https://bamort.example/app' });
    const allowed = async (origin: string) => {
      const { headers } = await sidecar.get('/api/system/health', { origin });
      return headers.get('access-control-allow-origin');
    };

    assert.equal(await allowed('https://bamort.example'), 'https://bamort.example');
    assert.equal(await allowed('https://bamort.example.org'), null);
    assert.equal(await allowed('null'), null);
    const { headers } = await sidecar.get('/api/system/health');
    assert.match(headers.get('vary') ?? '', /origin/i);
  });

  test('is not kept, not framed and not guessed at, also when it is a refusal', async (t) => {
    const sidecar = await startSidecar(t, site);

    for (const path of ['/api/system/health', '/livez', '/metrics', '/nothing']) {
      const { headers } = await sidecar.get(path);
      assert.equal(headers.get('cache-control'), 'no-store', path);
      assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
      assert.match(headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/, path);
    }
  });

  test('to a path or a request that is not one has the form of an error', async (t) => {
    const sidecar = await startSidecar(t, site);
    const { code, body } = await sidecar.get('/api/system/nothing');
    assert.equal(code, 404);
    await assertConforms('error', body);

    const post = await fetch(`${sidecar.url}/api/system/health`, { method: 'POST', body: 'x' });
    assert.ok([404, 415].includes(post.status));
    await assertConforms('error', await post.json());
    const badPath = await fetch(`${sidecar.url}/%E0%A4%A`);
    assert.equal(badPath.status, 400);
    await assertConforms('error', await badPath.json());
    const request = (head: string) => sendRaw(sidecar.url, `${head}\r\nConnection: close\r\n\r\n`);
    const long = 'x'.repeat(20_000);
    assert.match(
      await request(`GET /livez HTTP/1.1\r\nHost: a\r\nCookie: ${long}`),
      /^HTTP\/1.1 431/,
    );
    assert.match(await request('NONSENSE'), /^HTTP\/1.1 400/);
    assert.equal((await sidecar.get('/livez')).code, 200);
  });
});

describe('the banner of the sidecar', () => {
  test('is a script that browsers keep, and ask for again by its ETag', async (t) => {
    const sidecar = await startSidecar(t, site);
    const path = '/api/system/banner.js';

    const { code, text, headers } = await sidecar.get(path);

    assert.equal(code, 200);
    assert.match(text, /customElements\.define\('system-alert'/);
    assert.match(headers.get('content-type') ?? '', /^text\/javascript; charset=utf-8$/);
    assert.equal(headers.get('cache-control'), 'public, max-age=300');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    const etag = headers.get('etag') ?? '';
    assert.match(etag, /^"[\w-]{22}"$/);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`]) {
      const again = await sidecar.get(path, { 'if-none-match': known });
      assert.deepEqual([again.code, again.text], [304, '']);
    }
    assert.equal((await sidecar.get(path, { 'if-none-match': '"other"' })).code, 200);
  });
});

describe('the metrics of the sidecar', () => {
  test('say versions, pending migrations, compatibility and the last outcome', async (t) => {
    const sidecar = await startSidecar(t, site, { METRICS_PREFIX: 'shop' });

    const { code, text, headers } = await sidecar.get('/metrics');

    assert.equal(code, 200);
    assert.match(headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    for (const line of [
      'shop_backend_version{version="0.9.1"} 1',
      'shop_db_version{version="0.1.0"} 1',
      'shop_migrations_pending 0',
      'shop_compatibility_status 1',
      'deploy_running 0',
      'deploy_failed_migrations 0',
      'deploy_last_outcome{outcome="done"} 1',
      'deploy_last_outcome{outcome="failed"} 0',
    ]) {
      assert.ok(text.split('\n').includes(line), `${line}\nis not in\n${text}`);
    }
    assert.match(text, /^health_sample_age_seconds \d/m);
    assert.match(text, /^process_resident_memory_bytes \d/m);
  });

  test('have the text format of Prometheus in every line', async (t) => {
    const sidecar = await startSidecar(t, site);

    const { text } = await sidecar.get('/metrics');

    const comment = /^# (HELP|TYPE) [a-zA-Z_:][\w:]* .+$/;
    const value = String.raw`(-?\d+(\.\d+)?(e[+-]?\d+)?|NaN|\+Inf)`;
    const labels = String.raw`(\{[a-z_]\w*="[^"\n]*"(,[a-z_]\w*="[^"\n]*")*\})?`;
    const sample = new RegExp(`^[a-zA-Z_:][\\w:]*${labels} ${value}$`, 'i');
    const wrong = text
      .split('\n')
      .filter((line) => line !== '' && !comment.test(line) && !sample.test(line));
    assert.deepEqual(wrong, []);
  });

  test('say NaN for what nobody knows while the database is away', async (t) => {
    const sidecar = await startSidecar(t, site, { DB_HOST: '127.0.0.1', DB_PORT: '1' });

    const { text } = await sidecar.get('/metrics');

    assert.match(text, /^bamort_migrations_pending N(aN|an)$/m);
    assert.match(text, /^bamort_db_version\{version="unknown"\} 1$/m);
    assert.match(text, /^bamort_compatibility_status 0$/m);
    assert.doesNotMatch(text, /^deploy_last_outcome\{/m);
  });
});
