/** Finds the end of one JSON value, across chunks of text. */
export type Scan = {
  /** True for a string, an object or a list: it has an end of its own. */
  readonly nested: boolean;
  done: boolean;
  /** Reads on from `at`, gives where it stopped. */
  take(chunk: string, at: number): number;
  text(): string;
};

const delimiter = /[\s,\]}:]/;

/** Begins a value at its first character, which `take` reads again. Pure. */
export function makeScan(first: string): Scan {
  const parts: string[] = [];
  const nested = '"{['.includes(first);
  let depth = 0;
  let quoted = false;
  let escaped = false;
  const scan: Scan = { nested, done: false, take, text: () => parts.join('') };

  function take(chunk: string, from: number): number {
    let at = from;
    while (at < chunk.length && !scan.done) {
      const char = chunk[at]!;
      if (!nested && delimiter.test(char)) {
        scan.done = true;
        break;
      }
      if (nested) step(char);
      at += 1;
    }
    parts.push(chunk.slice(from, at));
    return at;
  }
  function step(char: string): void {
    if (quoted) {
      if (escaped) escaped = false;
      else if (char === '\\') escaped = true;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === '{' || char === '[') depth += 1;
    else if (char === '}' || char === ']') depth -= 1;
    scan.done = !quoted && depth === 0;
  }
  return scan;
}
