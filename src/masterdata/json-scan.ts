/** Finds the end of one JSON value, across chunks of text. */
export type Scan = {
  /** True for a string, an object or a list: it has an end of its own. */
  readonly nested: boolean;
  done: boolean;
  /** Reads on from `at`, gives where it stopped. */
  take(chunk: string, at: number): number;
  text(): string;
};

const delimiter = /[\s,\]}:]/g;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Begins a value at its first character, which `take` reads again. Pure. */
export function makeScan(first: string): Scan {
  const nested = '"{['.includes(first);
  let parts = '';
  let depth = 0;
  let quoted = false;
  // The first character of the next chunk stands behind a backslash.
  let escaped = false;
  const scan: Scan = { nested, done: false, take, text: () => parts };

  function take(chunk: string, from: number): number {
    const end = nested ? takeNested(chunk, from) : takePlain(chunk, from);
    parts += chunk.slice(from, end);
    return end;
  }
  function takePlain(chunk: string, from: number): number {
    delimiter.lastIndex = from;
    const found = delimiter.exec(chunk);
    scan.done = found !== null;
    return found?.index ?? chunk.length;
  }
  function takeNested(chunk: string, from: number): number {
    let at = from;
    while (at < chunk.length) {
      if (quoted) {
        at = endOfString(chunk, at);
        if (quoted) return at;
      } else {
        const code = chunk.charCodeAt(at);
        at += 1;
        if (code === QUOTE) quoted = true;
        else if (code === 0x7b || code === 0x5b) depth += 1;
        else if (code === 0x7d || code === 0x5d) depth -= 1;
        else continue;
        if (quoted) continue;
      }
      if (depth > 0) continue;
      scan.done = true;
      return at;
    }
    return at;
  }
  /** Where a string goes on or, with `quoted` false, what follows it. Most of a file is strings. */
  function endOfString(chunk: string, from: number): number {
    let start = from;
    if (escaped) start += 1;
    escaped = false;
    for (let next = start; ; ) {
      const quote = chunk.indexOf('"', next);
      const end = quote === -1 ? chunk.length : quote;
      let before = end - 1;
      while (before >= start && chunk.charCodeAt(before) === BACKSLASH) before -= 1;
      const isEscaped = (end - 1 - before) % 2 === 1;
      if (quote === -1) {
        escaped = isEscaped;
        return chunk.length;
      }
      if (!isEscaped) {
        quoted = false;
        return quote + 1;
      }
      next = quote + 1;
    }
  }
  return scan;
}
