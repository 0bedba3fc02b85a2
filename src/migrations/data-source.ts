/** Pure: what the text of a data file may not hold. */
import type { FileProblem } from './problem.ts';

/** Comments, and the strings that may look like them. */
const commentOrString = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g;

/** `from './x'`, `import './x'`, `import('./x')`, `require('./x')`; also absolute paths and file URLs. */
const nearImport =
  /\b(?:from|import|require)\s*\(?\s*(['"`])((?:\.{0,2}\/|\.{1,2}\1|file:)[^'"`\n]*)/g;

/**
 * Finds imports of other files. The checksum covers the data file alone: what it imported could
 * change without anybody noticing that the migration did.
 */
export function checkDataSource(text: string, path: string): FileProblem[] {
  const code = text.replace(commentOrString, (found) =>
    found.startsWith('/') ? found.replace(/[^\n]/g, ' ') : found,
  );
  return [...code.matchAll(nearImport)].map((match) => ({
    where: `${path}:${code.slice(0, match.index).split('\n').length}`,
    message: 'a data file may not import other files: only Node’s modules and packages',
  }));
}
