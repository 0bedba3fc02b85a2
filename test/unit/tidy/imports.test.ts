/** Holds the import rule of ARCHITECTURE.md: docs/adr/0005-imports-go-down.md says why. */

import assert from 'node:assert/strict';
import { dirname, join } from 'node:path/posix';
import { describe, test } from 'node:test';
import { lineAt, readSources, type Source, withoutComments } from './sources.ts';

/** The folders of `src`, from the top to the bottom. A file may import its own folder and below. */
const tiers = [
  ['main.ts'],
  ['cli'],
  ['run'],
  ['migrations', 'backup', 'masterdata', 'bundle', 'validation'],
  ['statements', 'schema', 'history', 'scratch'],
  ['database'],
  ['config'],
  ['errors'],
];

/**
 * All that the sidecar may import: it serves the public and must not be able to write. Beside
 * what reads, there are names and predicates without I/O, and the log that both programs share.
 */
const openToHealthcheck = [
  /^src\/config\//,
  /^src\/errors\//,
  /^src\/cli\/(log|tool-version)\.ts$/,
  /^src\/database\/(connect|identifier|lock-name|server-errors|within)\.ts$/,
  /^src\/history\/(read|run-row|versions)\.ts$/,
  /^src\/migrations\/(files|resolve)\.ts$/,
];

type Import = { readonly from: string; readonly line: number; readonly target: string };

/** The imports of a file, also `export … from` and `import()`, relative ones as path from the root. */
function importsOf({ path, text }: Source): Import[] {
  const code = withoutComments(text);
  const pattern =
    /^(?:import|export)\b[^;'"]*?\bfrom\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;
  return [...code.matchAll(pattern)].map((found) => {
    const name = found[1] ?? found[2] ?? found[3] ?? '';
    const target = name.startsWith('.') ? join(dirname(path), name) : name;
    return { from: path, line: lineAt(text, found.index), target };
  });
}

function folderOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function tierOf(path: string): number {
  return tiers.findIndex((folders) => folders.includes(folderOf(path)));
}

/** Gives the rule that an import of `src` breaks, or null. */
export function brokenRule({ from, target }: Import): string | null {
  if (!target.startsWith('src/')) return null;
  if (tierOf(target) === -1) return 'the folder is not in the list of tiers';
  if (folderOf(from) === folderOf(target)) return null;
  if (tierOf(from) === tierOf(target)) return 'folders of one tier do not import one another';
  return tierOf(from) < tierOf(target) ? null : 'imports go down';
}

function describeBroken(imports: readonly Import[], rule: (found: Import) => string | null) {
  return imports.flatMap((found) => {
    const broken = rule(found);
    return broken === null
      ? []
      : [`${found.from}:${found.line} imports ${found.target}: ${broken}`];
  });
}

const imports = readSources('src/**/*.ts').flatMap(importsOf);

describe('the imports of src', () => {
  test('are found', () => {
    assert(imports.length > 50);
  });

  test('go down', () => {
    assert.deepEqual(describeBroken(imports, brokenRule), []);
  });

  test('name every folder of src in a tier', () => {
    const unknown = readSources('src/**/*.ts').filter(({ path }) => tierOf(path) === -1);

    assert.deepEqual(
      unknown.map(({ path }) => path),
      [],
    );
  });

  test('of relative files end in .ts and exist', () => {
    const paths = new Set(readSources('src/**/*.ts').map(({ path }) => path));
    const broken = imports.filter(({ target }) => target.startsWith('src/') && !paths.has(target));

    assert.deepEqual(broken, []);
  });

  test('reach the database driver only from src/database', () => {
    const rule = ({ from, target }: Import) =>
      /^mysql2(\/|$)/.test(target) && folderOf(from) !== 'database'
        ? 'only src/database may'
        : null;

    assert.deepEqual(describeBroken(imports, rule), []);
  });

  test('never point to scripts, tests or the sidecar', () => {
    const rule = ({ target }: Import) =>
      /^(scripts|test|healthcheck)\//.test(target) ? 'src stands alone' : null;

    assert.deepEqual(describeBroken(imports, rule), []);
  });
});

describe('the imports of the sidecar', () => {
  test('reach only files that read', () => {
    const rule = ({ target }: Import) => {
      const outside =
        target.startsWith('src/') && !openToHealthcheck.some((open) => open.test(target));
      return outside || /^mysql2(\/|$)/.test(target)
        ? 'not in the list of files that only read'
        : null;
    };

    assert.deepEqual(
      describeBroken(readSources('healthcheck/**/*.ts').flatMap(importsOf), rule),
      [],
    );
  });
});

describe('the rule itself', () => {
  for (const [from, target, broken] of [
    ['src/run/up.ts', 'src/backup/take.ts', false],
    ['src/run/up.ts', 'src/run/plan.ts', false],
    ['src/backup/take.ts', 'src/run/up.ts', true],
    ['src/backup/take.ts', 'src/migrations/apply.ts', true],
    ['src/history/read.ts', 'src/schema/read.ts', true],
    ['src/errors/render.ts', 'src/config/load.ts', true],
    ['src/config/load.ts', 'src/errors/deploy-error.ts', false],
    ['src/run/up.ts', 'src/other/x.ts', true],
  ] as const) {
    test(`${broken ? 'forbids' : 'allows'} ${from} to import ${target}`, () => {
      assert.equal(brokenRule({ from, line: 1, target }) !== null, broken);
    });
  }
});
