/**
 * Reads a large JSON file piece by piece: objects and lists that are gone into are never held in
 * memory as a whole, what is found in them is. JSON.parse sees every piece, so that nothing that
 * is not JSON gets through.
 */
import { makeScan, type Scan } from './json-scan.ts';

type Path = readonly (string | number)[];

/** A value that was not gone into: where it is and what it is. */
export type Piece = { readonly path: Path; readonly value: unknown };

/** Thrown for text that is not JSON; `path` is the last place that was reached. */
export class JsonTextError extends Error {
  readonly path: Path;

  constructor(message: string, path: Path) {
    super(message);
    this.name = 'JsonTextError';
    this.path = path;
  }
}

/**
 * Gives the pieces of a JSON text in their order, those of one chunk together: waiting for each
 * would take longer than reading it. `enter` says which objects and lists to go into, the same for
 * all values of one list; an empty one that is gone into gives nothing.
 *
 * @throws JsonTextError when it is no complete JSON, or when an object that is gone into has a name twice.
 */
export async function* readJson(
  chunks: AsyncIterable<string> | Iterable<string>,
  enter: (path: Path) => boolean,
): AsyncGenerator<readonly Piece[]> {
  const structure = makeStructure();
  let scan: Scan | null = null;

  function begin(char: string): void {
    if (char <= ' ') {
      if (!' \n\r\t'.includes(char)) structure.fail('a control character stands between values');
    } else if (':,]}'.includes(char)) structure.mark(char);
    else {
      structure.expect(char);
      const isContainer = (char === '{' || char === '[') && enter(structure.path());
      if (isContainer) structure.open(char === '[');
      else scan = makeScan(char);
    }
  }
  function take(chunk: string): Piece[] {
    const pieces: Piece[] = [];
    let at = 0;
    let triedMany = false;
    while (at < chunk.length) {
      if (scan === null) {
        if (!triedMany && structure.isElement() && !enter(structure.path())) {
          triedMany = true;
          at = takeMany(structure, chunk, at, pieces);
        }
        begin(chunk[at]!);
        // The scan reads its first character itself.
        if (scan === null) at += 1;
        continue;
      }
      at = scan.take(chunk, at);
      if (!scan.done) continue;
      const text = scan.text();
      scan = null;
      structure.value(text, pieces);
    }
    return pieces;
  }

  for await (const chunk of chunks) {
    const pieces = take(chunk);
    if (pieces.length > 0) yield pieces;
  }
  // A number at the very end has nothing behind it that would end it.
  const rest = scan as Scan | null;
  if (rest !== null && !rest.nested) {
    const last: Piece[] = [];
    structure.value(rest.text(), last);
    yield last;
  }
  if (!structure.isWhole() || rest?.nested === true) structure.fail('the text ends too early');
}

/**
 * Takes the values of a list up to the last one of the chunk that has a comma behind it, if that is
 * what it seems; else nothing. JSON.parse decides: what it takes for the values of a list cannot be
 * anything else, and it is many times quicker than looking for the end of each.
 */
function takeMany(structure: Structure, chunk: string, from: number, pieces: Piece[]): number {
  const end = chunk.lastIndexOf('},') + 1;
  if (end <= from) return from;
  let values: unknown[];
  try {
    values = JSON.parse(`[${chunk.slice(from, end)}]`) as unknown[];
  } catch {
    return from;
  }
  const path = structure.path();
  const first = Number(path.pop());
  for (const [index, value] of values.entries()) {
    pieces.push({ path: [...path, first + index], value });
  }
  structure.skip(values.length);
  return end;
}

type Structure = ReturnType<typeof makeStructure>;
type Frame = { readonly list: boolean; place: string | number; readonly names: Set<string> };
type Expected =
  | 'value'
  | 'value or end'
  | 'name'
  | 'name or end'
  | 'colon'
  | 'comma or end'
  | 'nothing';

/** Where in the objects and lists the text is, and what may come next. */
function makeStructure() {
  const stack: Frame[] = [];
  let expected: Expected = 'value';
  const path = (): (string | number)[] => stack.map(({ place }) => place);
  const isName = () => expected === 'name' || expected === 'name or end';
  const end = () => {
    expected = stack.length === 0 ? 'nothing' : 'comma or end';
  };

  function fail(message: string): never {
    throw new JsonTextError(message, path());
  }
  function refuse(char: string): never {
    fail(`${char} stands where ${expected} is expected`);
  }
  function close(list: boolean): void {
    if (stack.pop()?.list !== list) fail('a bracket closes what was not opened');
    end();
  }
  function takeName(text: string): void {
    const frame = stack.at(-1)!;
    const name = String(parse(text, fail));
    if (frame.names.has(name)) fail(`the name ${name} is there twice`);
    frame.names.add(name);
    frame.place = name;
    expected = 'colon';
  }
  function mark(char: string): void {
    const frame = stack.at(-1);
    if (char === ':' && expected === 'colon') expected = 'value';
    else if (char === ',' && expected === 'comma or end' && frame !== undefined) {
      if (typeof frame.place === 'number') frame.place += 1;
      expected = frame.list ? 'value' : 'name';
    } else if (char === ']' && (expected === 'value or end' || expected === 'comma or end')) {
      close(true);
    } else if (char === '}' && (expected === 'name or end' || expected === 'comma or end')) {
      close(false);
    } else refuse(char);
  }

  const isWhole = () => expected === 'nothing';
  return {
    ...{ path, fail, mark, isWhole },
    /** Refuses the first character of a value or name that may not stand here. */
    expect(char: string): void {
      const isValue = expected === 'value' || expected === 'value or end';
      if (!isValue && !(char === '"' && isName())) refuse(char);
    },
    /** True where a value of a list may stand. */
    isElement: () => expected.startsWith('value') && stack.at(-1)?.list === true,
    /** Goes on behind some values of a list. */
    skip(count: number): void {
      const frame = stack.at(-1)!;
      frame.place = Number(frame.place) + count - 1;
      end();
    },
    open(list: boolean): void {
      stack.push({ list, place: list ? 0 : '', names: new Set() });
      expected = list ? 'value or end' : 'name or end';
    },
    /** Takes a whole value or name; a value becomes a piece. */
    value(text: string, pieces: Piece[]): void {
      if (isName()) return void takeName(text);
      pieces.push({ path: path(), value: parse(text, fail) });
      end();
    },
  };
}

function parse(text: string, fail: (message: string) => never): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return fail('this is not JSON');
  }
}
