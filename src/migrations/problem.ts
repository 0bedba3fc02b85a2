import { DeployError, isDeployError } from '../errors/deploy-error.ts';

/** Something wrong with a file of the migrations folder: where, as `path` or `path:line`, and what. */
export type FileProblem = { readonly where: string; readonly message: string };

/** Makes one failure of all problems of a folder, so that its author corrects them in one go. */
export function problemsError(problems: readonly FileProblem[]): DeployError {
  const [first] = problems;
  const lines = problems.map(({ where, message }) => `${where}: ${message}`);
  const message =
    problems.length === 1
      ? first!.message
      : [`${problems.length} problems in the migrations folder`, ...lines].join('\n');
  return new DeployError('MIGRATION_FILE_INVALID', message, {
    where: first!.where,
    facts: { problems },
  });
}

/** Runs `work`; a MIGRATION_FILE_INVALID that it throws becomes a problem and gives null. */
export function collectProblem<T>(problems: FileProblem[], path: string, work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (!isDeployError(error, 'MIGRATION_FILE_INVALID')) throw error;
    problems.push({ where: error.where ?? path, message: error.message });
    return null;
  }
}
