/** A plan as text and as JSON: exactly what a run would do, before it does it. Pure. */

import { serverText } from '../database/server-errors.ts';
import { describeCauses } from '../errors/chain.ts';
import { statementsOf } from '../migrations/actions.ts';
import { showNumber } from '../migrations/install-number.ts';
import type { ClassifiedStatement, Migration } from '../migrations/migration.ts';
import type { Facts } from '../run/facts.ts';
import type { Cycle, Plan, Refusal } from '../run/plan.ts';
import type { RollbackPlan } from '../run/rollback.ts';
import { describeKept, describeVerdict, nextAfter, type Verdict } from '../run/verdicts.ts';

/**
 * The plan for people: mode, versions, each statement with file and line, warnings, refusals. Before a
 * question (`asked`) it does not tell how to do what the answer is about to do.
 */
export function renderPlan(
  plan: Plan | RollbackPlan,
  facts: Facts,
  { asked = false }: { readonly asked?: boolean } = {},
): string {
  const name = facts.server.database.name;
  const lines = [`plan for ${name}: ${titleOf(plan, facts)}`];
  const verdicts = 'verdicts' in plan ? plan.verdicts : [];
  for (const cycle of plan.cycles) lines.push(...renderCycle(cycle, verdicts));
  for (const warning of plan.warnings) lines.push(`  warning   ${warning}`);
  for (const refusal of plan.refusals) lines.push(...renderRefusal(refusal));
  if (plan.cycles.length > 0 && plan.refusals.length === 0) {
    if ('release' in plan) lines.push(...nextAfter(plan).map((line) => `  after it  ${line}`));
    const how = 'release' in plan ? 'the same command without --dry-run' : 'deploy up';
    lines.push(`nothing has been changed${asked ? ' yet' : `; to do it: ${how}`}`);
  }
  return `${lines.join('\n')}\n`;
}

function titleOf(plan: Plan, facts: Facts): string {
  const versions = `${plan.from ?? 'empty'} → ${plan.to ?? 'none'}`;
  if (plan.mode === 'recover') {
    const { runId, state } = facts.unfinished!;
    return `run ${runId} is not ended (${state}): it is finished or put back first, then everything is planned anew`;
  }
  if (plan.mode === 'nothing to do')
    return `nothing to do, the database is at ${plan.from ?? 'no version'} as required`;
  return plan.mode === 'refused' ? `REFUSED (${versions})` : `${plan.mode}, ${versions}`;
}

function renderCycle(cycle: Cycle, verdicts: readonly Verdict[]): string[] {
  const lines = [
    `  ${cycle.from ?? 'empty'} → ${cycle.to ?? 'none'}: fence, backup and proof, then`,
  ];
  for (const migration of cycle.adopt)
    lines.push(
      `    record ${titleOfMigration(migration)} as ${cycle.direction === 'up' ? 'applied' : 'not tried'}`,
    );
  for (const migration of cycle.migrations) {
    const statements = statementsOf(migration, cycle.direction);
    lines.push(
      `    ${cycle.direction === 'up' ? 'apply ' : 'revert'} ${titleOfMigration(migration)}`,
    );
    lines.push(
      ...statements.map((statement) => `      ${renderStatement(migration, cycle, statement)}`),
    );
    if (migration.data !== null) lines.push(`      ${migration.data.path}  data function`);
    const verdict = verdicts.find((one) => one.migration === migration.number);
    if (verdict !== undefined)
      lines.push(
        ...[describeVerdict(verdict), ...describeKept(verdict)].map((line) => `      ${line}`),
      );
  }
  return lines;
}

function titleOfMigration({ number, name, description }: Migration): string {
  return `${showNumber(number)} ${name}: ${description}`;
}

function renderStatement(
  migration: Migration,
  cycle: Cycle,
  statement: ClassifiedStatement,
): string {
  const script = cycle.direction === 'up' ? migration.up : migration.down!;
  const { classification } = statement;
  const first = statement.sql.replaceAll(/\s+/g, ' ');
  const text = first.length > 90 ? `${first.slice(0, 87)}...` : first;
  const marks = classification.destroysData
    ? '  [removes or overwrites data]'
    : classification.class === 'opaque'
      ? '  [nobody can tell what it does to data]'
      : '';
  return `${script.path}:${statement.line}  ${text}${marks}`;
}

function renderRefusal({ code, message, where, next, cause }: Refusal): string[] {
  const [first, ...more] = message.split('\n');
  const why = cause === undefined ? null : describeCauses(new Error('', { cause }), serverText);
  return [
    `  refused   ${first}${where === undefined ? '' : ` (${where})`}   (${code})`,
    ...more.map((line) => `            ${line}`),
    ...(why === null ? [] : [`            ${why}`]),
    ...(next ?? []).map((line) => `  next      ${line}`),
  ];
}

/** The plan for programs (snake_case). */
export function planJson(plan: Plan | RollbackPlan, facts: Facts): Record<string, unknown> {
  const back =
    'verdicts' in plan
      ? { losses: plan.losses, verdicts: plan.verdicts, release: plan.release }
      : { losses: [] };
  return {
    mode: plan.mode,
    database: facts.server.database.name,
    from: plan.from,
    to: plan.to,
    cycles: plan.cycles.map((cycle) => ({
      ...{ from: cycle.from, to: cycle.to, direction: cycle.direction },
      adopt: cycle.adopt.map(({ number }) => number),
      migrations: cycle.migrations.map((migration) => ({
        ...{
          number: migration.number,
          version: migration.version,
          description: migration.description,
        },
        statements: statementsOf(migration, cycle.direction).map(
          ({ sql, line, classification }) => ({
            ...{
              sql,
              line,
              class: classification.class,
              destroys_data: classification.destroysData,
            },
          }),
        ),
        data_function: migration.data?.path ?? null,
      })),
    })),
    ...back,
    warnings: plan.warnings,
    refusals: plan.refusals.map(({ code, message, where }) => ({
      code,
      message,
      where: where ?? null,
    })),
    unfinished_run: facts.unfinished?.runId ?? null,
  };
}
