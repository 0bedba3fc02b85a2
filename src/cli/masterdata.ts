/** `deploy masterdata import|diff`: rules data from a folder or file into a database. */
import path from 'node:path';
import { hasChanges } from '../masterdata/report.ts';
import type { RunContext } from '../run/context.ts';
import { openAndPlan } from '../run/plan-up.ts';
import { checkSelection, type UpOptions } from '../run/selection.ts';
import { up } from '../run/up.ts';
import { type CommonOptions, execute, inspect, type World } from './invoke.ts';
import { withDatabase } from './masterdata-export.ts';
import { renderSync } from './render-masterdata.ts';

type Flags = CommonOptions & {
  readonly input?: string;
  readonly dryRun?: boolean;
};

/** `deploy masterdata import --input DIR`: the master data step of `up` with another folder. */
export async function importCommand(world: World, flags: Flags): Promise<number> {
  const options: UpOptions = { forward: false, select: new Set(['masterdata', 'validate']) };
  const own = withInput(world, flags);
  if (flags.dryRun) return inspect(own, flags, (context) => previewImport(context, options));
  return execute(own, flags, (context) => up(context, options));
}

/** The plan of the import and what it would write: exit code 0 nothing, 30 something, 13 refused. */
async function previewImport(context: RunContext, options: UpOptions) {
  const { db, looked } = await openAndPlan(context, options);
  try {
    const { plan, facts } = looked;
    checkSelection(options, plan, facts, 'before');
    if (plan.mode === 'refused') {
      const { planJson, renderPlan } = await import('./render-plan.ts');
      return { value: planJson(plan, facts), text: renderPlan(plan, facts), exitCode: 13 };
    }
    const masterdata = await context.masterdata.get();
    if (masterdata === null) return { value: null, text: 'there is no master data\n', exitCode: 0 };
    const { diffMasterdata } = await import('../masterdata/sync.ts');
    const report = await diffMasterdata(db, masterdata.set);
    const text = `${renderSync(report)}nothing has been changed\n`;
    return { value: report, text, exitCode: hasChanges(report) ? 30 : 0 };
  } finally {
    await db.close();
  }
}

/** `deploy masterdata diff`: what an import would change; changes nothing. */
export async function diffCommand(world: World, flags: Flags): Promise<number> {
  return inspect(withInput(world, flags), flags, (context) =>
    withDatabase(context, async (db) => {
      const masterdata = await context.masterdata.get();
      if (masterdata === null)
        return { value: null, text: 'there is no master data\n', exitCode: 0 };
      const { diffMasterdata } = await import('../masterdata/sync.ts');
      const report = await diffMasterdata(db, masterdata.set);
      return { value: report, text: renderSync(report), exitCode: 0 };
    }),
  );
}

function withInput(world: World, { input }: Flags): World {
  if (input === undefined) return world;
  const env = { ...world.env, MASTERDATA: 'always' };
  return { ...world, env, masterdataInput: path.resolve(input) };
}
