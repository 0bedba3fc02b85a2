import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { decideHealth, type Health } from '../../healthcheck/decide-health.ts';
import type { OpenRun } from '../../healthcheck/facts.ts';
import { noRecords } from '../../healthcheck/read-records.ts';
import type { HistoryFacts } from '../../src/history/read.ts';
import {
  type Application,
  startApplication,
  startBrowser,
  takeScreenshot,
} from '../support/browser.ts';
import { until } from '../support/deploy.ts';
import { makeApplied, makeFailed, makeMigration } from '../support/migrations.ts';
import type { Cleanup } from '../support/server.ts';

const browser = await startBrowser({ after });

const old = makeMigration({ number: 1, version: '0.4.0' });
const fresh = makeMigration({ number: 2, version: '0.5.0' });
const newer = makeMigration({ number: 3, version: '0.6.0' });
const folder = { migrations: [old, fresh], versions: ['0.4.0', '0.5.0'] };

function healthWith(
  migrations: readonly (typeof old)[],
  more: Partial<HistoryFacts> & { readonly openRun?: OpenRun } = {},
): Health {
  const { openRun = null, ...given } = more;
  const history: HistoryFacts = {
    present: { schemaVersion: true, migrationHistory: true },
    applied: migrations.map((one) => makeApplied(one)),
    ...{ failed: [], schemaVersionRows: [], problems: [], appliedAtType: 'epoch', ...given },
  };
  const database = { history, hasTables: true, openRun, lastRun: null, records: noRecords };
  const reading = { trouble: null, database };
  return decideHealth({ folder, requiredVersion: '0.5.0', reading });
}

const run: OpenRun = {
  ...{
    runId: 'r1',
    mode: 'update',
    state: 'changing',
    step: 'migrate',
    from: '0.4.0',
    to: '0.5.0',
  },
  ...{ startedAt: '2026-01-16T10:30:00.000Z', isAlive: true, progress: { done: 3, total: 7 } },
};
const states = {
  fine: healthWith([old, fresh]),
  fineButOne: healthWith([old, fresh], { failed: [makeFailed(newer)] }),
  behind: healthWith([old]),
  deploying: healthWith([old], { openRun: run }),
  ahead: healthWith([old, fresh, newer]),
  away: decideHealth({ folder, requiredVersion: '0.5.0', reading: { trouble: 'unreachable' } }),
};

const script = '<script src="/deploy-health/api/system/banner.js" defer></script>';
const html = (
  attributes = '',
  lang = 'en',
  scripts = script,
) => `<!doctype html><html lang="${lang}"><title>App</title>
<meta name="viewport" content="width=device-width"><style>body { margin: 0 }
@media (prefers-color-scheme: dark) { body { background: #111; color: #eee } }</style>
<system-alert ${attributes}></system-alert>
<header style="position: relative; z-index: 1000; padding: 1em">Bamort</header>
${scripts}</html>`;

/**
 * In the words of the page: this program's types know no document. Counts the polls that were
 * begun, and those whose answer is worked off: what follows an answer is done before the next message.
 */
const counting = `
  Object.assign(window, { begun: 0, done: 0 });
  const ask = window.fetch;
  const note = () => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => { window.done += 1; };
    channel.port2.postMessage('');
  };
  window.fetch = async (...words) => {
    window.begun += 1;
    const answer = await ask(...words).catch((error) => { note(); throw error; });
    const isRead = answer.status !== 429 && answer.headers.get('content-type').includes('json');
    if (!isRead) note();
    const read = answer.json.bind(answer);
    answer.json = () => read().finally(note);
    return answer;
  };`;

type Opened = {
  readonly page: Page;
  readonly site: Application;
  /** The message and the line below it; an empty text when the banner shows nothing. */
  text(): Promise<string>;
  /** Lets half a minute pass, and waits until the answer to the poll in it is worked off. */
  poll(): Promise<void>;
  /** Errors of the page's scripts that nobody caught. */
  readonly failures: readonly string[];
  /** Polls that were begun. */
  begun(): Promise<number>;
};

async function open(
  t: Cleanup,
  health: Health,
  {
    attributes = '',
    lang = 'en',
    stored = '',
    scripts = script,
    init = '',
    ...context
  }: BrowserContextOptions & {
    readonly attributes?: string;
    readonly lang?: string;
    readonly stored?: string;
    readonly scripts?: string;
    /** Run before the page's own scripts. */
    readonly init?: string;
  } = {},
): Promise<Opened> {
  const site = await startApplication(t, html(attributes, lang, scripts), health);
  const tab = await browser.newContext({ viewport: { width: 1024, height: 400 }, ...context });
  t.after(() => tab.close());
  const page = await tab.newPage();
  await page.clock.install();
  await page.addInitScript(`localStorage.setItem('language', '${stored}');
    localStorage.setItem('token', 'secret-of-the-user');
    document.cookie = 'session=secret-of-the-user';
    ${counting}
    ${init}`);
  const failures: string[] = [];
  page.on('pageerror', ({ message }) => failures.push(message));
  await page.goto(site.url);
  const count = (what: 'begun' | 'done') => page.evaluate<number>(what);
  const untilDone = (least: number) =>
    until(`answer ${least} is worked off`, async () => (await count('done')) >= least);
  await untilDone(1);
  // From now on time passes only where the test lets it.
  await page.clock.pauseAt(Date.now() + 1_000);
  return {
    ...{ page, site, failures },
    text: () =>
      page
        .locator('system-alert .words')
        .allInnerTexts()
        .then((all) => all.join('')),
    async poll() {
      const before = await count('done');
      await page.clock.fastForward(30_000);
      await untilDone(before + 1);
    },
    begun: () => count('begun'),
  };
}

async function assertText({ text }: Opened, expected: string | RegExp): Promise<void> {
  let last = '';
  await until(
    `the banner says ${expected}`,
    async () => {
      last = await text();
      return typeof expected === 'string' ? last === expected : expected.test(last);
    },
    5_000,
  ).catch(() => assert.fail(`the banner says "${last}", not ${expected}`));
}

/** Holds that nothing is shown. */
async function assertSilent(opened: Opened): Promise<void> {
  assert.equal(await opened.text(), '');
  assert.equal((await opened.page.locator('system-alert').boundingBox())?.height ?? 0, 0);
}

const said = {
  en: {
    behind:
      'Database migration required. Please contact the administrator.\nBackend: v0.5.0 | Database: v0.4.0',
    deploying: 'The database is being updated. Please wait a moment.\nStep 3 of 7',
    ahead:
      'Backend and database are not compatible. Please contact the administrator.\nBackend: v0.5.0 | Database: v0.6.0',
    away: 'The database is not available at the moment. Please contact the administrator.\nBackend: v0.5.0',
    fine: 'The database is up to date again.',
  },
  de: {
    behind:
      'Datenbank-Migration erforderlich. Bitte kontaktieren Sie den Administrator.\nBackend: v0.5.0 | Datenbank: v0.4.0',
    deploying:
      'Die Datenbank wird gerade aktualisiert. Bitte warten Sie einen Moment.\nSchritt 3 von 7',
    ahead:
      'Backend und Datenbank passen nicht zusammen. Bitte kontaktieren Sie den Administrator.\nBackend: v0.5.0 | Datenbank: v0.6.0',
    away: 'Die Datenbank ist zurzeit nicht erreichbar. Bitte kontaktieren Sie den Administrator.\nBackend: v0.5.0',
    fine: 'Die Datenbank ist wieder auf dem aktuellen Stand.',
  },
} as const;
const kinds = ['behind', 'deploying', 'ahead', 'away'] as const;

describe('the banner', () => {
  for (const language of ['en', 'de'] as const) {
    for (const kind of kinds) {
      test(`says in ${language} that the database is ${kind}, to eyes and ears`, async (t) => {
        const opened = await open(t, states[kind], { lang: language });

        await assertText(opened, said[language][kind]);
        await takeScreenshot(opened.page, `${kind}-${language}`);
        const isError = kind === 'ahead' || kind === 'away';
        const spoken = opened.page.getByRole(isError ? 'alert' : 'status').filter({ hasText: /./ });
        assert.equal(await spoken.count(), 1);
        assert.equal(await spoken.getAttribute('lang'), language);
      });
    }

    test(`says in ${language} that all is well after an update, and then nothing`, async (t) => {
      const opened = await open(t, states.deploying, { lang: language });
      await assertText(opened, said[language].deploying);
      opened.site.set(states.fine);

      await opened.poll();

      await assertText(opened, said[language].fine);
      await takeScreenshot(opened.page, `success-${language}`);
      await opened.page.clock.fastForward(9_000);
      await assertText(opened, '');
    });
  }

  test('shows nothing while the database is as required, also if a migration that may fail did', async (t) => {
    const opened = await open(t, states.fine);
    await assertSilent(opened);
    opened.site.set(states.fineButOne);

    await opened.poll();

    await assertSilent(opened);
  });

  test('follows the state of the database every 30 s', async (t) => {
    const opened = await open(t, states.behind);
    await assertText(opened, said.en.behind);

    opened.site.set(states.deploying);
    await opened.poll();
    await assertText(opened, said.en.deploying);

    opened.site.set(states.ahead);
    await opened.poll();
    await assertText(opened, said.en.ahead);
    const before = await opened.begun();
    await opened.page.clock.fastForward(25_000);
    assert.equal(await opened.begun(), before);
    await opened.page.clock.fastForward(5_000);
    assert.equal(await opened.begun(), before + 1);
  });

  test('keeps what it says when the sidecar is asked too often', async (t) => {
    const opened = await open(t, states.behind);
    await assertText(opened, said.en.behind);
    opened.site.set(states.ahead);
    opened.site.sidecar('busy');

    await opened.poll();

    assert.equal(await opened.text(), said.en.behind);
    opened.site.sidecar('there');
    await opened.poll();
    await assertText(opened, said.en.ahead);
  });

  for (const is of ['away', 'unproxied', 'another'] as const) {
    test(`hides when the sidecar is ${is}, and comes back with it`, async (t) => {
      const opened = await open(t, states.behind);
      await assertText(opened, said.en.behind);

      opened.site.sidecar(is);
      await opened.poll();
      await assertText(opened, '');
      await assertSilent(opened);

      opened.site.sidecar('there');
      await opened.poll();
      await assertText(opened, said.en.behind);
    });
  }

  test('takes its language from itself, then from what the user chose, then from the page', async (t) => {
    const page = await open(t, states.behind, { lang: 'de-AT' });
    await assertText(page, said.de.behind);
    const chosen = await open(t, states.behind, { lang: 'de', stored: 'en' });
    await assertText(chosen, said.en.behind);
    const own = await open(t, states.behind, { stored: 'en', attributes: 'lang="de"' });
    await assertText(own, said.de.behind);

    await own.page
      .locator('system-alert')
      .evaluate((element) => element.setAttribute('lang', 'en'));

    await assertText(own, said.en.behind);
  });

  test('asks the address that `endpoint` names, beside its script without one', async (t) => {
    const named = await open(t, states.behind, {
      attributes: 'endpoint="/deploy-health/api/system/health?from=app"',
    });
    await assertText(named, said.en.behind);
    const asked = ({ site }: Opened) => site.asked.map(({ url }) => url);
    assert.ok(asked(named).includes('/deploy-health/api/system/health?from=app'));
    const beside = await open(t, states.behind);
    await assertText(beside, said.en.behind);
    assert.ok(asked(beside).includes('/deploy-health/api/system/health'));
  });

  test('sends neither cookies nor tokens, and says nothing of the page', async (t) => {
    const opened = await open(t, states.behind);
    await assertText(opened, said.en.behind);

    const polls = opened.site.asked.filter(({ url }) => url?.endsWith('/health'));

    assert.ok(polls.length > 0);
    for (const { headers } of polls) {
      assert.equal(headers.cookie, undefined);
      assert.equal(headers.referer, undefined);
      assert.doesNotMatch(JSON.stringify(headers), /secret-of-the-user/);
    }
  });

  test('ends its polls when the page takes it out, and begins again when it is put back', async (t) => {
    const opened = await open(t, states.behind);
    await opened.page.evaluate(`kept = document.querySelector('system-alert'); kept.remove();`);
    const before = await opened.begun();
    await opened.page.clock.fastForward(120_000);
    assert.equal(await opened.begun(), before);

    opened.site.set(states.ahead);
    await opened.page.evaluate('document.body.prepend(kept)');

    await assertText(opened, said.en.ahead);
    assert.equal(await opened.begun(), before + 1);
  });

  test('does not keep the note that all is well when the page takes it out and puts it back', async (t) => {
    const opened = await open(t, states.deploying);
    await assertText(opened, said.en.deploying);
    opened.site.set(states.fine);
    await opened.poll();
    await assertText(opened, said.en.fine);

    await opened.page.evaluate(`kept = document.querySelector('system-alert'); kept.remove();
      document.body.prepend(kept);`);

    await until('it has asked again', async () => (await opened.page.evaluate('done')) === 3);
    await assertSilent(opened);
    await opened.poll();
    await assertSilent(opened);
  });

  test('works in a page that may not use its storage', async (t) => {
    const opened = await open(t, states.behind, {
      lang: 'de',
      stored: 'en',
      init: `Object.defineProperty(window, 'localStorage', {
        get() { throw new DOMException('denied', 'SecurityError'); } });`,
    });

    await assertText(opened, said.de.behind);
  });

  test('is one banner, asking once, in a page that includes its script twice', async (t) => {
    const opened = await open(t, states.behind, { scripts: script + script });
    await assertText(opened, said.en.behind);
    assert.equal(await opened.begun(), 1);

    opened.site.set(states.ahead);
    await opened.poll();

    await assertText(opened, said.en.ahead);
    assert.equal(await opened.begun(), 2);
    assert.deepEqual(opened.failures, []);
  });

  for (const kind of [...kinds, 'fine'] as const) {
    test(`can be read in light and dark, and on 320 pixels, when it says ${kind}`, async (t) => {
      const opened = await open(t, kind === 'fine' ? states.behind : states[kind], { lang: 'de' });
      const { page, site } = opened;
      if (kind === 'fine') {
        site.set(states.fine);
        await opened.poll();
      }
      await assertText(opened, said.de[kind]);

      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await takeScreenshot(page, `${kind}-${colorScheme}`);
        const [text, background] = [
          await styleOf(page, 'color'),
          await styleOf(page, 'background'),
        ];
        const [light, dark] = [luminance(text), luminance(background)].sort((a, b) => b - a);
        assert.ok((light! + 0.05) / (dark! + 0.05) >= 7, `${text} on ${background}`);
        assert.equal(luminance(background) < 0.2, colorScheme === 'dark');
      }

      await page.setViewportSize({ width: 320, height: 400 });
      await takeScreenshot(page, `${kind}-narrow`);
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 320);
      const box = await page.locator('system-alert .message').boundingBox();
      assert.ok(box !== null && box.x >= 0 && box.x + box.width <= 320);
    });
  }

  test('takes the colours that a page sets by CSS variables', async (t) => {
    const opened = await open(t, states.behind, {
      attributes: 'style="--system-alert-warning-background: rgb(1, 2, 3)"',
    });
    await assertText(opened, said.en.behind);

    assert.match(await styleOf(opened.page, 'background'), /^rgb\(1, 2, 3\)/);
  });
});

/** A computed style of what the banner shows. */
function styleOf(page: Page, property: 'color' | 'background'): Promise<string> {
  const box = `document.querySelector('system-alert').shadowRoot.querySelector('.box')`;
  return page.evaluate(`getComputedStyle(${box}).${property}`);
}

/** Relative luminance as WCAG defines it. */
function luminance(rgb: string): number {
  const [red = 0, green = 0, blue = 0] = (rgb.match(/\d+/g) ?? []).slice(0, 3).map((part) => {
    const share = Number(part) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
