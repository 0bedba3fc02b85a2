import { compareVersions } from '../history/versions.ts';
import type { SchemaVersion } from '../migrations/migration.ts';
import { versionBeyond } from '../migrations/resolve.ts';
import type { PlanSettings, Refusal } from './plan.ts';
import type { StateFacts } from './state-facts.ts';

/** The database is ahead, or somebody went back on purpose. Pure. */
export function refuseDirection(
  facts: StateFacts,
  settings: Pick<PlanSettings, 'forward'>,
  from: SchemaVersion | null,
): Refusal[] {
  const { requiredVersion: to, lastRun } = facts;
  const beyond = versionBeyond(facts.resolution, to);
  if (from !== null && (compareVersions(from, to) > 0 || beyond !== null)) {
    const partly = beyond === null || beyond === from ? '' : ` and has migrations of ${beyond}`;
    const message = `Backend requires ${to}, database is ${from}${partly}`;
    return [{ code: 'DATABASE_AHEAD', message }];
  }
  const wentBack =
    lastRun !== null &&
    lastRun.outcome === 'done' &&
    ['rollback', 'restore'].includes(lastRun.mode);
  const behind = from === null || compareVersions(from, to) < 0;
  if (!wentBack || !behind || settings.forward) return [];
  const when = `${lastRun.mode} of ${lastRun.finishedAt ?? lastRun.startedAt}`;
  return [
    {
      code: 'ROLLED_BACK',
      message: `the database is at ${from ?? 'none'} on purpose, by the ${when}; ${to} is required here`,
    },
  ];
}
