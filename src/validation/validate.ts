/** Runs all checks on a database. Only reads; takes no lock. */
import { readSchema } from '../schema/read.ts';
import { checks } from './checks.ts';
import type { Finding, ValidateOptions } from './finding.ts';

export type { Finding, Severity, ValidateOptions } from './finding.ts';

/**
 * Gives what is wrong or odd with a database, worst first. The number of queries is bounded by
 * the number of tables and foreign keys, not by rows; each foreign key is one query that reads its
 * index. Run it before and after a change and compare with `newErrors`.
 *
 * @throws DeployError as readSchema: `DATABASE_MISSING`, `RIGHT_MISSING`.
 */
export async function validate(options: ValidateOptions): Promise<Finding[]> {
  const actual = await readSchema(options.db, options.database);
  const findings: Finding[] = [];
  for (const check of checks) findings.push(...(await check.run({ ...options, actual })));
  return findings.toSorted((a, b) => RANK[a.severity] - RANK[b.severity]);
}

const RANK = { error: 0, warning: 1, info: 2 } as const;

/** The errors of `after` that `before` has not, or has with fewer rows. Pure. */
export function newErrors(before: readonly Finding[], after: readonly Finding[]): Finding[] {
  const known = new Map(
    before.filter(isError).map((finding) => [finding.id, finding.count ?? Number.MAX_VALUE]),
  );
  return after
    .filter(isError)
    .filter(({ id, count }) => !known.has(id) || (count ?? 0) > (known.get(id) as number));
}

function isError({ severity }: Finding): boolean {
  return severity === 'error';
}
