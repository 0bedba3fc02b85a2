/**
 * <system-alert>: tells the people who use a page what state its database is in. A page includes
 * it with one script tag; this file is served as it is and depends on nothing (docs/sidecar.md).
 *
 *   <script src="/deploy-health/api/system/banner.js" defer></script>
 *   <system-alert></system-alert>
 *
 * Attributes: `endpoint`, the address of /api/system/health if it is not beside this script;
 * `lang`, `de` or `en`. Colours are CSS variables. It sends no cookies and no tokens.
 */
(() => {
  const pollMs = 30_000;
  const answerLimitMs = 10_000;
  const successMs = 8_000;

  const texts = {
    en: {
      warning: 'Database migration required. Please contact the administrator.',
      error: 'Backend and database are not compatible. Please contact the administrator.',
      away: 'The database is not available at the moment. Please contact the administrator.',
      deploying: 'The database is being updated. Please wait a moment.',
      success: 'The database is up to date again.',
      database: 'Database',
      progress: (done, total) => `Step ${done} of ${total}`,
    },
    de: {
      warning: 'Datenbank-Migration erforderlich. Bitte kontaktieren Sie den Administrator.',
      error:
        'Backend und Datenbank passen nicht zusammen. Bitte kontaktieren Sie den Administrator.',
      away: 'Die Datenbank ist zurzeit nicht erreichbar. Bitte kontaktieren Sie den Administrator.',
      deploying: 'Die Datenbank wird gerade aktualisiert. Bitte warten Sie einen Moment.',
      success: 'Die Datenbank ist wieder auf dem aktuellen Stand.',
      database: 'Datenbank',
      progress: (done, total) => `Schritt ${done} von ${total}`,
    },
  };

  const symbols = { warning: '!', error: '×', deploying: '⋯', success: '✓' };

  const css = `
    :host { display: block; position: sticky; top: 0; z-index: var(--system-alert-z-index, 1100);
      font: var(--system-alert-font, 400 1rem/1.4 system-ui, sans-serif); }
    :host([hidden]) { display: none; }
    .box { display: flex; align-items: flex-start; gap: .75em; box-sizing: border-box; width: 100%;
      padding: .65em 1em; border-bottom: 2px solid var(--edge);
      background: var(--background); color: var(--text); }
    .box:empty { display: none; }
    .symbol { flex: none; box-sizing: border-box; width: 1.5em; height: 1.5em; border-radius: 50%;
      border: 2px solid var(--edge); color: var(--edge); text-align: center;
      font-weight: 700; line-height: calc(1.5em - 4px); }
    .words { flex: 1; min-width: 0; overflow-wrap: anywhere; align-self: center; }
    .message { font-weight: 600; }
    .detail { font-size: .875em; text-wrap: balance; }
    .warning { --background: var(--system-alert-warning-background, #fff4d6);
      --text: var(--system-alert-warning-color, #4a3500); --edge: var(--system-alert-warning-edge, #946200); }
    .error { --background: var(--system-alert-error-background, #fde7e7);
      --text: var(--system-alert-error-color, #5c0f0f); --edge: var(--system-alert-error-edge, #b3261e); }
    .deploying { --background: var(--system-alert-deploying-background, #e5f0fd);
      --text: var(--system-alert-deploying-color, #0b3058); --edge: var(--system-alert-deploying-edge, #1f63b5); }
    .success { --background: var(--system-alert-success-background, #e4f6e7);
      --text: var(--system-alert-success-color, #0d3d18); --edge: var(--system-alert-success-edge, #1c7a33); }
    @media (prefers-color-scheme: dark) {
      .warning { --background: var(--system-alert-warning-background, #332600);
        --text: var(--system-alert-warning-color, #ffe3a1); --edge: var(--system-alert-warning-edge, #e0a100); }
      .error { --background: var(--system-alert-error-background, #3b1111);
        --text: var(--system-alert-error-color, #ffd9d6); --edge: var(--system-alert-error-edge, #ff7a70); }
      .deploying { --background: var(--system-alert-deploying-background, #0c2440);
        --text: var(--system-alert-deploying-color, #d6e8ff); --edge: var(--system-alert-deploying-edge, #6fb0ff); }
      .success { --background: var(--system-alert-success-background, #0e2e16);
        --text: var(--system-alert-success-color, #d3f5da); --edge: var(--system-alert-success-edge, #5fce7b); }
    }`;

  // Only a classic script knows its own address, and only while it runs.
  const script = document.currentScript?.src ?? '';

  /** What an answer means; null for nothing to say. Another failed migration is no user's business. */
  function alertOf(body) {
    const { status, state, deploying, compatible } = body;
    if (deploying === true) return { kind: 'deploying', text: 'deploying' };
    if (compatible === true || status === 'ok') return null;
    if (status === 'warning') return { kind: 'warning', text: 'warning' };
    const isAway = ['unreachable', 'access_denied', 'database_missing', 'unreadable'];
    return { kind: 'error', text: isAway.includes(state) ? 'away' : 'error' };
  }

  /** `Backend: v0.5.0 | Database: v0.4.0`: of the two what is known. */
  function detailOf({ kind }, body, words) {
    if (kind === 'success') return '';
    const { run, backend_version: backend, db_version: database } = body;
    if (kind === 'deploying') {
      const progress = run?.progress;
      return progress ? words.progress(progress.done, progress.total) : '';
    }
    const version = (name, text) => (text ? [`${name}: v${String(text).replace(/^v/, '')}`] : []);
    return [...version('Backend', backend), ...version(words.database, database)].join(' | ');
  }

  /** Gives the body of an answer, `'as before'` when asked too often, null for anything else. */
  async function ask(endpoint, signal) {
    const limits = AbortSignal.any([signal, AbortSignal.timeout(answerLimitMs)]);
    const response = await fetch(endpoint, {
      headers: { accept: 'application/json' },
      ...{ credentials: 'omit', cache: 'no-store', referrerPolicy: 'no-referrer', signal: limits },
    });
    if (response.status === 429) return 'as before';
    // Where no proxy knows the path, a page of the application comes back, with status 200.
    if (!/^application\/json\b/i.test(response.headers.get('content-type') ?? '')) return null;
    const body = await response.json();
    return ['ok', 'warning', 'error'].includes(body?.status) ? body : null;
  }

  class SystemAlert extends HTMLElement {
    static observedAttributes = ['lang', 'endpoint'];

    #boxes;
    #alert = null;
    #body = null;
    #shown = '';
    /** Aborts when the element is taken out of its page. */
    #life = null;
    #asked = 0;
    #pollTimer;
    #successTimer;

    constructor() {
      super();
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
      const root = this.attachShadow({ mode: 'open' });
      root.adoptedStyleSheets = [sheet];
      // Both are there from the start: a screen reader only tells of changes in what it knows.
      this.#boxes = ['status', 'alert'].map((role) => part('', { role }));
      root.append(...this.#boxes);
    }

    connectedCallback() {
      this.#life = new AbortController();
      const { signal } = this.#life;
      // A page that nobody sees asks nothing; once it is seen, it must not say what was.
      document.addEventListener('visibilitychange', () => this.#poll(), { signal });
      this.#pollTimer = setInterval(() => this.#poll(), pollMs);
      this.#poll();
    }

    disconnectedCallback() {
      this.#life.abort();
      this.#life = null;
      clearInterval(this.#pollTimer);
      clearTimeout(this.#successTimer);
      // Put back, it would stay: nothing takes a note away whose timer is gone.
      if (this.#alert?.kind === 'success') this.#alert = null;
      this.#show();
    }

    attributeChangedCallback(name) {
      if (name === 'endpoint') this.#poll();
      else this.#show();
    }

    get #endpoint() {
      const given = this.getAttribute('endpoint');
      if (given !== null) return given;
      return script === '' ? '/api/system/health' : new URL('health', script);
    }

    async #poll() {
      if (this.#life === null || document.hidden) return;
      const { signal } = this.#life;
      this.#asked += 1;
      const mine = this.#asked;
      const body = await ask(this.#endpoint, signal).catch(() => null);
      if (signal.aborted || mine !== this.#asked) return;
      if (body !== 'as before') this.#take(body);
      // Also when nothing is new: the person may have chosen another language.
      this.#show();
    }

    #take(body) {
      const before = this.#alert;
      this.#body = body;
      this.#alert = body === null ? null : alertOf(body);
      if (body === null || this.#alert !== null || before === null) return;
      // All is well, and something was said before.
      this.#alert = before.kind === 'success' ? before : this.#congratulate();
    }

    #congratulate() {
      const note = { kind: 'success', text: 'success' };
      this.#successTimer = setTimeout(() => {
        if (this.#alert !== note) return;
        this.#alert = null;
        this.#show();
      }, successMs);
      return note;
    }

    /** Writes only what is new: each change is read aloud. */
    #show() {
      const alert = this.#alert;
      const language = languageOf(this);
      const words = texts[language];
      const lines = alert === null ? [] : [words[alert.text], detailOf(alert, this.#body, words)];
      const wanted = JSON.stringify([language, alert, lines]);
      if (this.#shown === wanted) return;
      this.#shown = wanted;
      for (const box of this.#boxes) {
        const isUrgent = box.getAttribute('role') === 'alert';
        const isUsed = alert !== null && isUrgent === (alert.kind === 'error');
        box.lang = language;
        box.className = isUsed ? `box ${alert.kind}` : '';
        box.replaceChildren(...(isUsed ? contentsOf(alert, lines) : []));
      }
    }
  }

  function languageOf(element) {
    let chosen = null;
    try {
      chosen = localStorage.getItem('language');
    } catch {
      // A page may be denied its storage: then the page's own language counts.
    }
    const known = [element.getAttribute('lang'), chosen, document.documentElement.lang];
    const language = known.find(Boolean) ?? navigator.language;
    return /^"?de\b/i.test(language) ? 'de' : 'en';
  }

  function contentsOf({ kind }, [message, detail]) {
    const words = part('words');
    words.append(part('message', {}, message));
    if (detail !== '') words.append(part('detail', {}, detail));
    return [part('symbol', { 'aria-hidden': 'true' }, symbols[kind]), words];
  }

  function part(name, attributes = {}, text = '') {
    const element = document.createElement('div');
    element.className = name;
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.textContent = text;
    return element;
  }

  // A page that includes the script twice has one element all the same.
  if (!customElements.get('system-alert')) customElements.define('system-alert', SystemAlert);
})();
