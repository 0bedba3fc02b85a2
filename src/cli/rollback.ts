import { parseVersion } from '../history/versions.ts';
import { planBack, runBack } from '../run/back.ts';
import type { RollbackTarget } from '../run/choose-reverts.ts';
import { confirm } from './confirm.ts';
import { type CommonOptions, execute, inspect, type World } from './invoke.ts';
import { planJson, renderPlan } from './render-plan.ts';
import { printUsageError } from './usage.ts';

type Flags = CommonOptions & {
  readonly steps?: string;
  readonly toVersion?: string;
  readonly acceptDataLoss?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
};

/** `deploy rollback`: exit code 0 when the database is at the version behind. */
export async function rollbackCommand(world: World, flags: Flags): Promise<number> {
  const target = targetOf(flags);
  if (typeof target === 'string') return printUsageError(world, target);
  const options = { acceptDataLoss: flags.acceptDataLoss ?? false };
  if (flags.dryRun) {
    return inspect(world, flags, async (context) => {
      const { facts, plan } = await planBack(context, target, options);
      const isIdle = plan.cycles.length === 0 && plan.mode !== 'recover';
      const exitCode = plan.refusals.length > 0 ? 13 : isIdle ? 0 : 30;
      return {
        value: planJson(plan, facts),
        text: renderPlan(plan, facts),
        exitCode,
      };
    });
  }
  return execute(world, flags, (context) =>
    runBack(context, target, {
      ...options,
      confirm: (plan, facts) => confirm(world, renderPlan(plan, facts, { asked: true }), flags),
    }),
  );
}

function targetOf({ steps, toVersion }: Flags): RollbackTarget | string {
  if ((steps === undefined) === (toVersion === undefined))
    return 'rollback needs --steps N or --to-version V';
  if (toVersion !== undefined) {
    return parseVersion(toVersion) === null
      ? `${toVersion} is no version like 0.4.0`
      : { kind: 'version', version: toVersion };
  }
  const count = /^\d+$/.test(steps!) ? Number(steps) : 0;
  return Number.isSafeInteger(count) && count > 0
    ? { kind: 'steps', steps: count }
    : `${steps} is no number of steps`;
}
