import { DeployError } from '../errors/deploy-error.ts';
import type { Plan, Refusal } from './plan.ts';

/** Throws the refusals of a plan as one failure: the first gives the code, all give the text. */
export function throwIfRefused(plan: Pick<Plan, 'refusals'>): void {
  const [first, ...more] = plan.refusals;
  if (first === undefined) return;
  throw refusalError(first, more);
}

function refusalError(first: Refusal, more: readonly Refusal[]): DeployError {
  const all = [first, ...more];
  const next = [...new Set(all.flatMap((refusal) => refusal.next ?? []))];
  const lines = all.flatMap(({ message, where }) =>
    (where === undefined ? message : `${message} (${where})`).split('\n'),
  );
  const message =
    lines.length === 1 ? first.message : `the plan is refused: ${first.message.split('\n')[0]}`;
  return new DeployError(first.code, message, {
    ...(first.where === undefined ? {} : { where: first.where }),
    ...(next.length === 0 ? {} : { next }),
    ...(first.cause === undefined ? {} : { cause: first.cause }),
    facts: {
      ...(lines.length > 1 ? { problems: lines } : {}),
      refusals: all.map(({ code }) => code),
    },
  });
}
