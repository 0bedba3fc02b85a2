import type { Random } from './random.ts';

/** All words here are invented: no rule book, no real character, no real person. */
const starts = [
  'Är',
  'Bö',
  'Cil',
  'Dûr',
  'Ey',
  'Fenn',
  'Grî',
  'Hül',
  'Iß',
  'Jor',
  'Käl',
  'Lø',
  'Mæ',
];
const ends = [
  'bert',
  'dähl',
  'ena',
  'fried',
  'gund',
  'hilde',
  'ïra',
  'käthe',
  'lotte',
  'mür',
  'oß',
];
const titles = ["d'Aval", 'von der Höh', 'O’Ryn', 'der "Lange"', 'zum Mühlbach', '', '', ''];

/** A name such as `Grîhilde von der Höh`: umlauts, ligatures, both kinds of apostrophe, quotes. */
export function personName(random: Random): string {
  return `${random.pick(starts)}${random.pick(ends)} ${random.pick(titles)}`.trim();
}

const things = [
  'Laterne',
  'Schlüssel',
  'Mütze',
  'Öllampe',
  'Säckchen',
  'Brett',
  'Koffer',
  'Hörrohr',
];
const kinds = ['alte', 'blaue', 'ägyptische', 'große', 'süße', 'graue', 'eiserne', 'weiße'];

/** The name of a thing, a skill or a spell; the number keeps it apart from the others. */
export function thingName(random: Random, number: number): string {
  return `${random.pick(kinds)} ${random.pick(things)} Nr. ${number}`;
}

const sentences = [
  'Reicht 3 m² weit, wirkt 10 m³ tief – und kostet ×2.',
  'Sagt man so: \'nie\', "immer", `vielleicht`; und C:\\Pfad\\neu.',
  'Dauer: ∞ (bis zum Morgen).',
  'Straße, Öl, Äste, Übermut, ß und ẞ.',
  '-- kein Kommentar; /* auch keiner */ # ebenso',
  'Ein Tabulator:\tund ein Semikolon; und Prozent 100 %.',
];

/** A description as people paste it: CR LF, quotes, ², ³, ∞, ×, –, backslashes; up to about 4 KB. */
export function longText(random: Random): string {
  const lines = random.chance(10) ? random.int(40, 70) : random.int(1, 4);
  return Array.from({ length: lines }, () => random.pick(sentences)).join('\r\n');
}

/** NULL, '' and a text are three different things, and all three are in the data. */
export function maybeText(random: Random): string | null {
  return random.pick([null, '', longText(random)]);
}

/** `2025-03-09 07:05:02.120`: a datetime(3) without a zone. */
export function dateTime(random: Random): string {
  const ms = Date.UTC(2025, 0, 1) + random.int(0, 330 * 24 * 3600) * 1000 + random.int(0, 999);
  return new Date(ms).toISOString().replace('T', ' ').replace('Z', '');
}

/** Makes pictures as the frontend stores them: a data URL with base64, of two spellings. */
export function makeImages(random: Random, sizeBytes: number): (number: number) => string {
  // One pool, cut at a different place for each picture: no two are equal, and making 1,000 is fast.
  const pool = random.bytes(Math.ceil(sizeBytes * 1.5) + 4096);
  return (number) => {
    const length = Math.max(1, Math.floor(sizeBytes * (0.5 + (number % 11) / 10)));
    const from = (number * 37) % 4096;
    const prefix = number % 3 === 0 ? 'data:image;base64,' : 'data:image/png;base64,';
    return prefix + pool.subarray(from, from + length).toString('base64');
  };
}
