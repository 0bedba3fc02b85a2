import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import sql from 'sql-template-tag';
import { makeSite, until } from '../../support/deploy.ts';
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
      assert.equal((await sidecar.getOnce(paths[nth % 2]!, from('203.0.113.7'))).code, 200);
    }

    const { code, body, headers } = await sidecar.getOnce(paths[0]!, from('203.0.113.7'));

    assert.equal(code, 429);
    await assertConforms('error', body);
    const seconds = Number(headers.get('retry-after'));
    assert.equal(seconds, 1);
    assert.equal((await sidecar.getOnce(paths[0]!, from('203.0.113.8'))).code, 200);
  });

  test('lets a client that was refused in again after Retry-After, without waiting for a window', async (t) => {
    const sidecar = await startSidecar(t, site, { TRUST_PROXY: 'true' });
    const asked = () => sidecar.getOnce('/api/system/banner.js', from('203.0.113.7'));
    let refused = await asked();
    for (let nth = 0; nth < 20 && refused.code === 200; nth++) refused = await asked();
    assert.equal(refused.code, 429);

    // With a window of ten requests in 10 s it would be let in at its end.
    await until('it is let in', async () => (await asked()).code === 200, 7_000);
  });

  test('does not count probes, metrics, and this machine', async (t) => {
    const sidecar = await startSidecar(t, site, { TRUST_PROXY: 'true' });

    for (let nth = 0; nth < 15; nth++) {
      for (const path of ['/livez', '/readyz', '/metrics']) {
        assert.equal((await sidecar.getOnce(path, from('203.0.113.7'))).code, 200);
      }
      assert.equal((await sidecar.getOnce('/api/system/health')).code, 200);
    }
  });

  test('does not believe a client that names another address, unless told to', async (t) => {
    const sidecar = await startSidecar(t, site);

    for (let nth = 0; nth < 15; nth++) {
      assert.equal((await sidecar.getOnce('/api/system/health', from('203.0.113.7'))).code, 200);
    }
  });

  test('believes only the address that the proxy itself has seen', async (t) => {
    const sidecar = await startSidecar(t, site, { TRUST_PROXY: 'true' });
    const codes = [];

    for (let nth = 0; nth < 11; nth++) {
      const forged = from('127.0.0.1, 203.0.113.7');
      codes.push((await sidecar.getOnce('/api/system/version', forged)).code);
    }

    assert.equal(codes.at(-1), 429);
  });

  test('follows RATE_LIMIT_PER_SECOND: a burst of ten, then as many in a second', async (t) => {
    for (const wait of [100, 20]) {
      const env = { TRUST_PROXY: 'true', RATE_LIMIT_PER_SECOND: String(1 / wait) };
      const sidecar = await startSidecar(t, site, env);
      const ask = () => sidecar.getOnce('/api/system/banner.js', from('203.0.113.7'));

      const all = await Promise.all(Array.from({ length: 40 }, ask));

      const refused = all.filter(({ code }) => code === 429);
      assert.equal(refused.length, 30);
      const seconds = Number(refused.at(-1)!.headers.get('retry-after'));
      assert.ok(seconds > wait / 2 && seconds <= wait, `${seconds} s`);
    }
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

  test('may be read by pages of BASE_URL also when it is a refusal', async (t) => {
    const origin = 'https://bamort.example';
    const sidecar = await startSidecar(t, site, { BASE_URL: origin, TRUST_PROXY: 'true' });
    const ask = (path: string) => sidecar.getOnce(path, { origin, ...from('203.0.113.7') });
    let limited = await ask('/api/system/banner.js');
    for (let nth = 0; nth < 20 && limited.code === 200; nth++) {
      limited = await ask('/api/system/banner.js');
    }
    const badPath = await ask('/api/system/%E0%A4%A');

    assert.deepEqual([limited.code, badPath.code], [429, 400]);
    for (const { headers } of [limited, badPath]) {
      assert.equal(headers.get('access-control-allow-origin'), origin);
    }
    assert.equal(limited.headers.get('access-control-expose-headers'), 'retry-after');
  });

  test('is not kept, not framed and not guessed at, also when it is a refusal', async (t) => {
    const sidecar = await startSidecar(t, site, { TRUST_PROXY: 'true' });
    const codes = new Set<number>();
    const paths = ['/api/system/health', '/livez', '/metrics', '/nothing', '/%E0%A4%A'];

    for (const path of [...paths, ...Array<string>(12).fill('/api/system/version')]) {
      const { code, headers } = await sidecar.getOnce(path, from('203.0.113.7'));
      codes.add(code);
      assert.equal(headers.get('cache-control'), 'no-store', path);
      assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
      assert.match(headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/, path);
    }
    assert.deepEqual([...codes].sort(), [200, 400, 404, 429]);
    const raw = await sendRaw(sidecar.url, 'NONSENSE\r\n\r\n');
    assert.match(raw, /^HTTP\/1.1 400 Bad Request\r\n/);
    assert.match(raw, /\r\nx-content-type-options: nosniff\r\n/);
    await assertConforms('error', JSON.parse(raw.split('\r\n\r\n')[1]!));
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
    const where = '/api/system/banner.js';

    const { code, text, headers } = await sidecar.get(where);

    assert.equal(code, 200);
    assert.match(text, /customElements\.define\('system-alert'/);
    assert.match(headers.get('content-type') ?? '', /^text\/javascript; charset=utf-8$/);
    assert.equal(headers.get('cache-control'), 'public, max-age=300');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    const etag = headers.get('etag') ?? '';
    assert.match(etag, /^"[\w-]{22}"$/);
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`]) {
      const again = await sidecar.get(where, { 'if-none-match': known });
      assert.deepEqual([again.code, again.text], [304, '']);
    }
    assert.equal((await sidecar.get(where, { 'if-none-match': '"other"' })).code, 200);
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

  test('have the text format of Prometheus in every line, whatever they say', async (t) => {
    const own = await makeSite(t, server);
    const db = await openShop(own);
    const report = JSON.stringify({
      steps: [
        { kind: 'backup', duration_ms: 7 },
        { kind: 'backup', duration_ms: 0.5 },
      ],
      masterdata: { entities: [{ entity: 'skills', inserted: 1, updated: 2, unchanged: 3 }] },
    });
    await db.run(sql`UPDATE deploy_run SET masterdata_digest = 'x', report = ${report}`);
    const full = await startSidecar(t, own);
    const away = await startSidecar(t, own, { DB_HOST: '127.0.0.1', DB_PORT: '1' });
    const [fullText, awayText] = [await full.get('/metrics'), await away.get('/metrics')];
    assert.match(fullText.text, /^masterdata_records\{entity="skills"\} 6$/m);
    assert.match(fullText.text, /^deploy_step_duration_seconds\{step="backup"\} 0\.0005$/m);
    assert.match(awayText.text, / N(aN|an)$/m);
    assertFormat(fullText.text);
    assertFormat(awayText.text);
  });

  test('are all there that the rules of the documentation ask for', async (t) => {
    const sidecar = await startSidecar(t, site);
    const { text } = await sidecar.get('/metrics');
    const doc = readFileSync(path.join(import.meta.dirname, '../../../docs/sidecar.md'), 'utf8');

    const rules = [...doc.matchAll(/^ +expr: (.+)$/gm)].map(([, rule]) => rule!);

    assert.ok(rules.length >= 6);
    for (const rule of rules) {
      const names = rule.match(/\b[a-z]+(_[a-z]+)+\b/g) ?? [];
      for (const name of names.filter((one) => one !== 'max_over_time' && one !== 'put_back')) {
        assert.match(text, new RegExp(`^# TYPE ${name} gauge$`, 'm'), rule);
      }
    }
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

/** Every line is one of the format, after the type of its metric, and says no value twice. */
function assertFormat(text: string): void {
  const comment = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) .+$/;
  const value = String.raw`(-?\d+(\.\d+)?(e[+-]?\d+)?|NaN|\+Inf)`;
  const labels = String.raw`(\{[a-z_]\w*="[^"\n]*"(,[a-z_]\w*="[^"\n]*")*\})?`;
  const sample = new RegExp(`^(([a-zA-Z_:][\\w:]*)${labels}) ${value}$`, 'i');
  assert.match(text, /\n$/);
  const seen = new Set<string>();
  let metric = '';
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const [, kind, name] = comment.exec(line) ?? [];
    if (kind !== undefined) {
      assert.ok(!seen.has(`${kind} ${name}`), `twice: ${line}`);
      seen.add(`${kind} ${name}`);
      metric = name!;
      continue;
    }
    const [, what = '', of = ''] = sample.exec(line) ?? [];
    assert.notEqual(what, '', `not of the format: ${line}`);
    assert.ok(!seen.has(what), `twice: ${line}`);
    seen.add(what);
    // A histogram adds an ending of its own.
    assert.equal(of.replace(/_(bucket|sum|count)$/, ''), metric.replace(/_(sum|count)$/, ''), line);
    assert.ok(seen.has(`TYPE ${metric}`), `before its type: ${line}`);
  }
}
