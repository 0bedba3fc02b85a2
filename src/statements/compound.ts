import type { Lexeme } from './lexemes.ts';

/**
 * Finds out whether the body of a stored program is whole. A body that was cut at a `;` inside it
 * always leaves a block open, so this tells a missing DELIMITER from a whole statement.
 *
 * It follows where statements begin, because BEGIN, END, IF and the others are only keywords there:
 * `end` may be a column, `IF(…)` and `REPEAT(…)` may be functions, CASE may be an expression.
 */

type Opener = 'BEGIN' | 'IF' | 'CASE' | 'CASE-EXPRESSION' | 'LOOP' | 'REPEAT' | 'WHILE' | 'FOR';

type Block = { readonly opener: Opener; readonly lexeme: Lexeme; readonly depth: number };

type State = {
  readonly blocks: Block[];
  depth: number;
  /** The next lexeme begins a statement. */
  atStart: boolean;
  /** Inside `DECLARE … HANDLER FOR …`, whose body may be a block. */
  inHandler: boolean;
};

const OPENERS = new Set(['BEGIN', 'IF', 'CASE', 'LOOP', 'REPEAT', 'WHILE', 'FOR']);
/** After these the body begins at once; after the others comes a condition. */
const BODY_FOLLOWS = new Set(['BEGIN', 'LOOP', 'REPEAT']);
const PROGRAMS = new Set(['PROCEDURE', 'FUNCTION', 'TRIGGER', 'EVENT']);
/** Words of a header, between name and body, behind which a body can begin. */
const SIMPLE_BODIES = new Set(
  `SELECT INSERT UPDATE DELETE REPLACE SET RETURN CALL WITH VALUES DO SIGNAL RESIGNAL TRUNCATE CREATE
   DROP ALTER EXECUTE PREPARE GET COMMIT ROLLBACK START OPEN FETCH CLOSE`.split(/\s+/),
);

/** Index of the first lexeme of the body of a stored program or anonymous block; -1 when it is neither. */
export function findBody(lexemes: readonly Lexeme[]): number {
  const verb = lexemes[0]?.keyword;
  const label = lexemes[1]?.keyword === ':' && lexemes[2]?.keyword !== '=' ? 2 : 0;
  const first = lexemes[label]?.keyword ?? '';
  if (first === 'BEGIN') return lexemes[label + 1]?.keyword === 'NOT' || label > 0 ? 0 : -1;
  if (OPENERS.has(first)) return 0;
  if (verb !== 'CREATE' && verb !== 'ALTER') return -1;
  const kind = lexemes.slice(0, 20).findIndex(({ keyword }) => PROGRAMS.has(keyword));
  if (kind === -1 || isTableLike(lexemes.slice(1, kind))) return -1;
  return findBodyAfterHeader(lexemes, kind);
}

/** `CREATE TABLE event (…)`: the word is a name there. */
function isTableLike(between: readonly Lexeme[]): boolean {
  return between.some(({ keyword }) =>
    /^(?:TABLE|VIEW|INDEX|SEQUENCE|DATABASE|SCHEMA|USER|ROLE)$/.test(keyword),
  );
}

function findBodyAfterHeader(lexemes: readonly Lexeme[], kind: number): number {
  const program = lexemes[kind]?.keyword;
  let at = kind + 1;
  if (program === 'TRIGGER') {
    const row = indexAfter(lexemes, at, 'ROW');
    // `FOLLOWS other` and `PRECEDES other` stand between.
    return /^(?:FOLLOWS|PRECEDES)$/.test(lexemes[row]?.keyword ?? '') ? row + 2 : row;
  }
  if (program === 'EVENT') return indexAfter(lexemes, at, 'DO');
  // Past the parameters: the first closing parenthesis that is not nested.
  let depth = 0;
  for (; at < lexemes.length; at++) {
    if (lexemes[at]?.keyword === '(') depth++;
    if (lexemes[at]?.keyword === ')' && --depth === 0) break;
  }
  for (at++; at < lexemes.length; at++) {
    const { keyword } = lexemes[at]!;
    if (lexemes[at - 1]?.keyword === 'RETURNS') continue;
    if (SIMPLE_BODIES.has(keyword) || OPENERS.has(keyword)) return at;
    if (lexemes[at + 1]?.keyword === ':') return at;
  }
  return -1;
}

function indexAfter(lexemes: readonly Lexeme[], from: number, keyword: string): number {
  const found = lexemes.findIndex((lexeme, index) => index >= from && lexeme.keyword === keyword);
  return found === -1 ? -1 : found + 1;
}

/** The lexeme that opens the innermost block that is never closed, or null when the body is whole. */
export function findOpenBlock(lexemes: readonly Lexeme[]): Lexeme | null {
  const body = findBody(lexemes);
  if (body === -1) return null;
  const state: State = { blocks: [], depth: 0, atStart: true, inHandler: false };
  for (let at = body; at < lexemes.length; at++) at = step(state, lexemes, at);
  return state.blocks.at(-1)?.lexeme ?? null;
}

/** Takes one lexeme; gives the index of the last one that it used up. */
function step(state: State, lexemes: readonly Lexeme[], at: number): number {
  const lexeme = lexemes[at]!;
  const { keyword } = lexeme;
  const top = state.blocks.at(-1);
  if (keyword === '(' || keyword === ')') {
    state.depth += keyword === '(' ? 1 : -1;
    state.atStart = false;
  } else if (top?.opener === 'CASE-EXPRESSION' || state.depth > 0) {
    stepInExpression(state, lexemes, at);
  } else if (state.atStart) {
    return stepAtStart(state, lexemes, at);
  } else if (keyword === ';') {
    state.atStart = true;
    state.inHandler = false;
  } else if (
    top?.opener === 'REPEAT' &&
    keyword === 'END' &&
    lexemes[at + 1]?.keyword === 'REPEAT'
  ) {
    // No semicolon stands between: `UNTIL done END REPEAT`.
    state.blocks.pop();
    return at + 1;
  } else if (keyword === 'THEN' || keyword === 'DO') {
    state.atStart = top !== undefined;
  } else if (keyword === 'HANDLER' && lexemes[at + 1]?.keyword === 'FOR') {
    state.inHandler = true;
    return at + 1;
  } else if (state.inHandler && OPENERS.has(keyword)) {
    open(state, lexeme);
    state.inHandler = false;
  } else if (keyword === 'CASE') {
    state.blocks.push({ opener: 'CASE-EXPRESSION', lexeme, depth: state.depth });
  }
  return at;
}

function stepInExpression(state: State, lexemes: readonly Lexeme[], at: number): void {
  const lexeme = lexemes[at]!;
  const top = state.blocks.at(-1);
  if (lexemes[at - 1]?.keyword === '.') return;
  if (lexeme.keyword === 'CASE') {
    state.blocks.push({ opener: 'CASE-EXPRESSION', lexeme, depth: state.depth });
  } else if (lexeme.keyword === 'END' && top?.opener === 'CASE-EXPRESSION') {
    if (top.depth === state.depth) state.blocks.pop();
  }
}

function stepAtStart(state: State, lexemes: readonly Lexeme[], at: number): number {
  const lexeme = lexemes[at]!;
  const { keyword } = lexeme;
  const next = lexemes[at + 1]?.keyword ?? '';
  if (next === ':' && lexemes[at + 2]?.keyword !== '=') return at + 1;
  if (keyword === ';' || keyword === 'ELSE') return at;
  if (keyword === 'END') {
    state.blocks.pop();
    state.atStart = false;
    return OPENERS.has(next) ? at + 1 : at;
  }
  if (OPENERS.has(keyword)) {
    open(state, lexeme);
    return keyword === 'BEGIN' && next === 'NOT' ? at + 2 : at;
  }
  state.atStart = false;
  return at;
}

function open(state: State, lexeme: Lexeme): void {
  const opener = lexeme.keyword as Opener;
  state.blocks.push({ opener, lexeme, depth: state.depth });
  state.atStart = BODY_FOLLOWS.has(opener);
}
