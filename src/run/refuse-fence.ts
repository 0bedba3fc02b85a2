/** Whether the application can be kept out as FENCE and FENCE_USERS ask for. Pure. */
import type { Config } from '../config/config.ts';
import type { Facts } from './facts.ts';
import type { Refusal } from './plan.ts';

/** The settings of the fence. */
export type FenceSettings = Pick<Config, 'fence' | 'fenceUsers'>;

/** What `refuseFence` and `fenceWarnings` look at. */
export type FenceFacts = Pick<Facts, 'server' | 'missingFenceRights' | 'unknownFenceUsers'>;

/** Why nothing may be changed: FENCE=require, and the application would be in, or deploy itself out. */
export function refuseFence(facts: FenceFacts, settings: FenceSettings): Refusal[] {
  const { fence, fenceUsers } = settings;
  const { server, missingFenceRights: missing } = facts;
  const code = 'RIGHT_MISSING';
  const own = server.currentUser.replace(/@[^@]*$/, '');
  if (fence !== 'off' && fenceUsers.includes(own)) {
    const message = `FENCE_USERS names ${own}, the account that this program itself uses: locked, nobody could let it in again`;
    const next = [
      "CREATE USER 'deploy'@'%' IDENTIFIED BY 'a password';",
      `GRANT ALL PRIVILEGES ON \`${server.database.name}\`.* TO 'deploy'@'%';`,
      'then set DB_USER and DB_PASSWORD to that account; deploy doctor prints what else it needs',
    ];
    return [{ code, message, next }];
  }
  if (fence !== 'require') return [];
  const refusals: Refusal[] = [];
  if (fenceUsers.length === 0) {
    const message = 'FENCE=require needs FENCE_USERS: the accounts of the application';
    refusals.push({ code, message, next: ['set FENCE_USERS'] });
  }
  if (missing.length > 0) {
    const lines = missing.map(({ right, why }) => `${server.currentUser} has not ${right}: ${why}`);
    refusals.push({ code, message: lines.join('\n'), next: fenceNext(missing) });
  }
  for (const message of describeUnknown(facts)) {
    refusals.push({ code: 'CONFIG_INVALID', message, next: ['correct FENCE_USERS'] });
  }
  return refusals;
}

/** What to do about missing rights of the fence: the way that needs no right of root comes first. */
export function fenceNext(missing: FenceFacts['missingFenceRights']): string[] {
  const grants = [...new Set(missing.map(({ grant }) => grant))];
  // For events of other accounts there is no other way.
  if (!missing.some(({ right }) => right.startsWith('CREATE USER'))) return grants;
  return [
    'let an administrator run docker/db/fence.sql, with which this account may lock those of FENCE_USERS and nothing else: docs/runbook.md, Fence',
    'or give it the rights, of which CREATE USER is as good as root:',
    ...grants,
  ];
}

/** What is said, and changes nothing, with FENCE=warn. */
export function fenceWarnings(facts: FenceFacts, { fence, fenceUsers }: FenceSettings): string[] {
  if (fence !== 'warn' || fenceUsers.length === 0) return [];
  if (facts.missingFenceRights.length === 0) return describeUnknown(facts);
  return [
    'the application is not fenced out: the account has not the rights for it (deploy doctor prints them)',
  ];
}

function describeUnknown({ unknownFenceUsers }: FenceFacts): string[] {
  return unknownFenceUsers.map(
    (name) => `FENCE_USERS names ${name}, and there is no such account that could be fenced out`,
  );
}
