/** Splits and classifies one SQL file of the migrations folder, when somebody asks for its statements. */
import { classify, hashStatement } from '../statements/classify.ts';
import { splitStatements } from '../statements/split.ts';
import type { ClassifiedStatement, Migration, MigrationScript } from './migration.ts';
import { collectProblem, type FileProblem, problemsError } from './problem.ts';

/**
 * Splits and classifies a text; `shown` is its path for people. Pure.
 *
 * @throws DeployError `MIGRATION_FILE_INVALID`
 */
export function readStatements(text: string, shown: string): ClassifiedStatement[] {
  return splitStatements(text, shown).map((statement) => ({
    ...statement,
    classification: classify(statement.sql, statement.quoting),
    hash: hashStatement(statement.sql),
  }));
}

/**
 * Gives a file whose statements are read when they are first asked for: a start that finds nothing
 * to do asks for none of them, and there may be thousands. Asking throws `MIGRATION_FILE_INVALID`
 * when the text is not sound, unless `checkScripts` has seen to it that all are.
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
export function findScriptProblems(migrations: readonly Migration[]): FileProblem[] {
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
export function checkScripts(migrations: readonly Migration[]): void {
  const problems = findScriptProblems(migrations);
  if (problems.length > 0) throw problemsError(problems);
}
