import { waitForServer } from '../database/wait.ts';
import { findProblems } from '../run/check-up.ts';
import { readFacts } from '../run/facts.ts';
import type { Finding } from '../validation/finding.ts';
import { type CommonOptions, inspect, type World } from './invoke.ts';

/** `deploy validate`: runs all checks and changes nothing. Exit code 0 without errors, else 15. */
export async function validateCommand(world: World, flags: CommonOptions): Promise<number> {
  return inspect(world, flags, async (context) => {
    const { config, folder, log, stop } = context;
    const database = config.database.name;
    const options = { waitMs: config.dbWaitMs, log, signal: stop, database };
    const db = await waitForServer(config.database, options);
    try {
      const facts = await readFacts(db, config, folder);
      const version = facts.resolution.actualVersion;
      const findings = await findProblems(context, facts, version);
      const exitCode = findings.some(({ severity }) => severity === 'error') ? 15 : 0;
      return {
        value: { version, findings },
        text: renderFindings(database, version, findings),
        exitCode,
      };
    } finally {
      await db.close();
    }
  });
}

function renderFindings(
  database: string,
  version: string | null,
  findings: readonly Finding[],
): string {
  if (version === null) return `${database} has no version: there is nothing to validate\n`;
  const count = (severity: Finding['severity']) =>
    findings.filter((one) => one.severity === severity).length;
  const sum = `${database} at ${version}: ${count('error')} errors, ${count('warning')} warnings`;
  const lines = findings.flatMap(({ severity, check, message, keys, advice }) => [
    `${severity.padEnd(8)} ${check}: ${message}${keys.length > 0 ? ` (keys ${keys.join(', ')})` : ''}`,
    ...(severity === 'info' ? [] : [`         next    ${advice}`]),
  ]);
  return `${[...lines, sum].join('\n')}\n`;
}
