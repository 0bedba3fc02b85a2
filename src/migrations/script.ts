/** One SQL file of the migrations folder, whose statements are read when they are needed. */
import type { ClassifiedStatement, Migration, MigrationScript } from './migration.ts';
import { collectProblem, type FileProblem, problemsError } from './problem.ts';

/** The splitter and the classifier are loaded when they are first needed: most starts do not. */
let splitter: typeof import('./read-statements.ts') | null = null;

async function loadSplitter(): Promise<void> {
  splitter ??= await import('./read-statements.ts');
}

/**
 * Splits and classifies a text; `shown` is its path for people. Some `checkScripts` or
 * `readMigrations` must have ended before.
 *
 * @throws DeployError `MIGRATION_FILE_INVALID`
 */
export function readStatements(text: string, shown: string): ClassifiedStatement[] {
  if (splitter === null) throw new Error(`the statements of ${shown} are asked for unchecked`);
  return splitter.readStatements(text, shown);
}

/**
 * Gives a file whose statements are read when they are first asked for: a start that finds nothing
 * to do asks for none of them, and there may be thousands. `checkScripts` comes before asking.
 */
export function makeLazyScript(text: string, path: string, rerunnable: boolean): MigrationScript {
  let statements: readonly ClassifiedStatement[] | null = null;
  return {
    path,
    rerunnable,
    get statements() {
      statements ??= readStatements(text, path);
      return statements;
    },
  };
}

/** The problems of the SQL of some migrations: what cannot be split, and files without a statement. */
export async function findScriptProblems(migrations: readonly Migration[]): Promise<FileProblem[]> {
  await loadSplitter();
  const problems: FileProblem[] = [];
  for (const { up, down, data } of migrations) {
    const count = collectProblem(problems, up.path, () => up.statements.length);
    if (count === 0 && data === null) {
      problems.push({ where: up.path, message: 'the up file has no statement' });
    }
    if (down !== null) collectProblem(problems, down.path, () => down.statements.length);
  }
  return problems;
}

/**
 * Reads every statement of the folder, which a change needs (`readMigrations` has done it already).
 *
 * @throws DeployError `MIGRATION_FILE_INVALID` with all problems in `facts.problems`.
 */
export async function checkScripts(migrations: readonly Migration[]): Promise<void> {
  const problems = await findScriptProblems(migrations);
  if (problems.length > 0) throw problemsError(problems);
}
