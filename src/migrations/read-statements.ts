import { classify, hashStatement } from '../statements/classify.ts';
import { splitStatements } from '../statements/split.ts';
import type { ClassifiedStatement } from './migration.ts';

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
