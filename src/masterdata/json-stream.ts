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
 * would take longer than reading it. `enter` says which objects and lists to go into; an empty
 * one that is gone into gives nothing.
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
    while (at < chunk.length) {
      if (scan === null) {
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
  const path = (): Path => stack.map(({ place }) => place);
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
  function parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch {
      return fail('this is not JSON');
    }
  }
  function close(list: boolean): void {
    if (stack.pop()?.list !== list) fail('a bracket closes what was not opened');
    end();
  }
  function takeName(text: string): void {
    const frame = stack.at(-1)!;
    const name = String(parse(text));
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
    open(list: boolean): void {
      stack.push({ list, place: list ? 0 : '', names: new Set() });
      expected = list ? 'value or end' : 'name or end';
    },
    /** Takes a whole value or name; a value becomes a piece. */
    value(text: string, pieces: Piece[]): void {
      if (isName()) return void takeName(text);
      pieces.push({ path: path(), value: parse(text) });
      end();
    },
  };
}
