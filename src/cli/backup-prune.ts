import { type Decision, prunable } from '../backup/retention.ts';
import { waitForServer } from '../database/wait.ts';
import { formatBytes, type RunContext } from '../run/context.ts';
import { withLock } from '../run/locked.ts';
import { planPrune, prune } from '../run/prune.ts';
import { confirm } from './confirm.ts';
import { type CommonOptions, inspect, type World } from './invoke.ts';

type Flags = CommonOptions & { readonly dryRun?: boolean; readonly yes?: boolean };

/** `deploy backup prune`: removes the sets that retention lets go; `--dry-run` only names them. */
export async function pruneCommand(world: World, flags: Flags): Promise<number> {
  return inspect(world, flags, async (context) => {
    const decisions = await decide(context);
    const going = prunable(decisions).map(({ name }) => name);
    const plan = renderDecisions(decisions, context.config.backupDir);
    let removed: readonly string[] = [];
    if (flags.dryRun !== true && going.length > 0) {
      await confirm(world, `${plan}Sets that go cannot be had back.`, flags);
      removed = await withLock(context, (hold) => prune(context, hold, going));
    }
    const done = removed.length > 0 ? `pruned: ${removed.join(', ')}\n` : '';
    const sets = decisions.map(({ set, keptBecause }) => ({
      ...{ name: set.name, size_bytes: set.sizeBytes, kept_because: keptBecause },
      ...{ goes: keptBecause.length === 0, removed: removed.includes(set.name) },
    }));
    return { value: { sets, removed }, text: plan + done, exitCode: 0 };
  });
}

async function decide(context: RunContext): Promise<Decision[]> {
  const { config, log, stop } = context;
  const database = config.database.name;
  const db = await waitForServer(config.database, {
    ...{ waitMs: config.dbWaitMs, log, signal: stop, database },
  });
  try {
    return await planPrune(context, db);
  } finally {
    await db.close();
  }
}

/** One line for each set: that it goes, or why it stays. Pure. */
export function renderDecisions(decisions: readonly Decision[], dir: string): string {
  if (decisions.length === 0) return `no backup sets in ${dir}\n`;
  const lines = decisions.map(({ set, keptBecause }) => {
    const what = keptBecause.length === 0 ? 'goes' : `stays: ${keptBecause.join(', ')}`;
    return `${set.name.padEnd(28)} ${formatBytes(set.sizeBytes).padStart(10)}  ${what}`;
  });
  return `${lines.join('\n')}\n`;
}
