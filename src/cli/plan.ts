import { openAndPlan } from '../run/plan-up.ts';
import { everything } from '../run/selection.ts';
import { type CommonOptions, inspect, type World } from './invoke.ts';
import { planJson, renderPlan } from './render-plan.ts';

/** `deploy plan`: prints what `up` would do. Exit code 0 nothing to do, 30 pending, 13 refused. */
export async function planCommand(
  world: World,
  flags: CommonOptions & { readonly forward?: boolean },
): Promise<number> {
  return inspect(world, flags, async (context) => {
    const { db, looked } = await openAndPlan(context, {
      forward: flags.forward ?? false,
      select: everything,
    });
    await db.close();
    const { plan, facts } = looked;
    const idle = plan.mode === 'nothing to do';
    const exitCode = plan.mode === 'refused' ? 13 : idle ? 0 : 30;
    return { value: planJson(plan, facts), text: renderPlan(plan, facts), exitCode };
  });
}
