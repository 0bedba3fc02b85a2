/**
 * Makes random SQL scripts that try everything which decides where the `mariadb` client cuts:
 * quotes, escapes, comments, executable comments, delimiters. The same seed gives the same script.
 * The statements need no sense: the server logs what it is sent before it looks at it.
 */

export type GeneratedScript = {
  readonly text: string;
  /** The client finds a delimiter outside ASCII only when it reads single bytes. */
  readonly charset: 'utf8mb4' | 'latin1';
};

type Random = {
  next(below: number): number;
  pick<T>(from: readonly T[]): T;
  chance(percent: number): boolean;
};

const DELIMITERS = ['//', '$$', ';;', '#', '--', '|', '/*', 'go', 'END$', '~~~', '@', "'$$'", '§§'];
const WORDS = [
  'a',
  'category',
  't1',
  'END',
  'ago',
  'x$y',
  '_b',
  'NULL',
  '1',
  '2.5',
  '0x1F',
  '$$',
  'M',
];
const ASIDE = ['größe', '日本', '🧙'];
const SYMBOLS = [
  '+',
  '-',
  '*',
  '/',
  '=',
  '(',
  ')',
  ',',
  '.',
  '@',
  '<',
  '>',
  '!',
  '|',
  '&',
  ':',
  '--1',
  '- -',
  '*/',
  '\\N',
];
const CODE = ['/*! 1 */', '/*M!100100 a */', '/*!99999 b */'];
const MODES = ['', 'ANSI_QUOTES', 'NO_BACKSLASH_ESCAPES', 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'];
const SPACES = [' ', ' ', ' ', '\n', '\t', '\r\n', '\r', '  \n\n', '\n    '];
/** What strings, names and comments are filled with: everything that could be taken for an end. */
const FILLING = [
  ...[
    'a',
    ' ',
    ';',
    '//',
    '$$',
    '#',
    '-- ',
    '--',
    '/*',
    '/*!',
    "'",
    '"',
    '`',
    '\n',
    '\r\n',
    '\r',
    'go',
    '*',
    '/',
  ],
  ...['DELIMITER //', '\ndelimiter x\n', '\nuse a\n', 'ü', '🧙', '§', '%', '0'],
];
const ESCAPES = [
  ...['\\\\', "\\'", '\\"', '\\n', '\\%', '\\;', '\\`', '\\\n', '\\\r', '\\\r\n'],
  ...['\\ü', '\\g', "''"],
];

type State = { delimiter: string; quoting: string };

/** One script that our splitter must accept; delimiter and sql_mode may change between its statements. */
export function generateScript(seed: number): GeneratedScript {
  const random = makeRandom(seed);
  const charset = random.chance(10) ? 'latin1' : 'utf8mb4';
  const delimiters = DELIMITERS.filter((delimiter) => isAscii(delimiter) || charset === 'latin1');
  const state: State = { delimiter: ';', quoting: '' };
  let text = random.chance(10) && charset === 'utf8mb4' ? '\uFEFF' : '';
  for (let left = 1 + random.next(8); left > 0; left--) {
    text += between(random, state);
    if (random.chance(20)) {
      const line = random.pick(delimiters);
      // A DELIMITER line must begin its line.
      if (!/(?:^|\n)\s*$/.test(text)) text += '\n';
      text += `${random.pick(['DELIMITER', 'delimiter', ' Delimiter'])} ${line}\n`;
      state.delimiter = line.replaceAll("'", '');
    }
    if (random.chance(10)) {
      state.quoting = random.pick(MODES);
      text += `SET sql_mode='${state.quoting}' ${state.delimiter}`;
    }
    text += `SELECT ${soup(random, state)} ${state.delimiter}`;
  }
  text += random.chance(50) ? '\n' : between(random, state);
  return { text: charset === 'latin1' ? text.replace(/[^\p{ASCII}§]/gu, '_') : text, charset };
}

/** Changes a script in some places, so that quotes and comments no longer fit. */
export function damageScript({ text, charset }: GeneratedScript, seed: number): GeneratedScript {
  const random = makeRandom(seed);
  let damaged = text;
  for (let left = 1 + random.next(3); left > 0; left--) {
    const at = random.next(damaged.length + 1);
    const insert = random.chance(50)
      ? random.pick([...FILLING.filter(isAscii), ...ESCAPES.filter(isAscii)])
      : '';
    damaged = damaged.slice(0, at) + insert + damaged.slice(at + random.next(3));
  }
  // Half of a surrogate pair is no text that a file could hold.
  return { text: damaged.toWellFormed().replaceAll('\uFFFD', '?'), charset };
}

function soup(random: Random, state: State): string {
  let text = '';
  for (let left = random.next(10); left > 0; left--) {
    text += random.pick(SPACES) + piece(random, state);
    if (random.chance(30)) text += random.pick(SPACES);
  }
  return text;
}

function piece(random: Random, state: State): string {
  const escapes = !state.quoting.includes('NO_BACKSLASH');
  // Behind a delimiter in the middle of a word it would be a comment.
  const symbols = state.delimiter === ';' ? SYMBOLS : SYMBOLS.filter((one) => one !== '--1');
  switch (random.next(8)) {
    case 0:
      // Behind a delimiter that the symbols hold it would be the command.
      return random.pick(state.delimiter === ';' ? [...WORDS, 'delimiter'] : WORDS);
    case 1:
      return random.pick(random.chance(30) ? ASIDE : symbols);
    case 2:
      return quoted(random, "'", escapes);
    case 3:
      return quoted(random, '"', escapes && !state.quoting.includes('ANSI'));
    case 4:
      return quoted(random, '`', false);
    case 5:
      return comment(random, state);
    case 6:
      if (state.delimiter === '/*') return 'code';
      return random.pick([`/*!50003 ${quoted(random, "'", escapes)} */`, ...CODE]);
    default:
      return random.pick(WORDS) + random.pick(symbols) + random.pick(WORDS);
  }
}

function quoted(random: Random, quote: string, escapes: boolean): string {
  let text = '';
  for (let left = random.next(6); left > 0; left--) {
    const part = escapes && random.chance(40) ? random.pick(ESCAPES) : random.pick(FILLING);
    text += escapes && part.startsWith('\\') ? part : part.replaceAll(quote, quote + quote);
  }
  // Without escapes a backslash is a character like any other, also before the end.
  return `${quote}${text}${!escapes && random.chance(20) ? '\\' : ''}${quote}`;
}

/** A comment that does not begin with the delimiter, which would go before it. */
function comment(random: Random, { delimiter }: State): string {
  let text = '';
  for (let left = random.next(5); left > 0; left--) text += random.pick(FILLING);
  const line = text.replaceAll('\n', '');
  const block = text.replaceAll(/[*!]/g, '').replace(/\/+$/, '');
  const all = [
    `-- ${line}\n`,
    `# ${line}\n`,
    `--\t${line}\n`,
    `/* ${block}*/`,
    `/* ${block} */`,
    '/**/',
    '--\n',
  ];
  return random.pick(all.filter((one) => !one.startsWith(delimiter)));
}

function between(random: Random, state: State): string {
  let text = '';
  for (let left = random.next(3); left > 0; left--) {
    text += random.pick(SPACES) + (random.chance(40) ? comment(random, state) : '');
  }
  return random.chance(50) ? `${text}\n` : text;
}

function isAscii(text: string): boolean {
  return /^\p{ASCII}*$/u.test(text);
}

/** mulberry32: small, and the same on every machine. */
function makeRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (below: number) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
  return {
    next,
    pick: (from) => from[next(from.length)]!,
    chance: (percent) => next(100) < percent,
  };
}
