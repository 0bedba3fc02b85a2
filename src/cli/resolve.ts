import { DeployError } from '../errors/deploy-error.ts';
import { redact } from '../errors/redact.ts';
import { acceptChecksum } from '../run/accept-checksum.ts';
import type { RunContext } from '../run/context.ts';
import { findUndecided, resolveRun } from '../run/resolve.ts';
import type { ResolveChoice } from '../run/resolve-look.ts';
import type { InDoubtAnswer } from '../run/resume.ts';
import { retryFailed } from '../run/retry.ts';
import { choose, confirm, hasTerminal } from './confirm.ts';
import { type CommonOptions, execute, inspect, type World } from './invoke.ts';
import { choices, lookJson, renderChecksum, renderLook, renderNothing } from './render-resolve.ts';
import { printUsageError } from './usage.ts';

type Flags = CommonOptions & {
  readonly continue?: boolean;
  readonly putBack?: boolean;
  readonly accept?: boolean;
  readonly inDoubt?: string;
  readonly retry?: string | true;
  readonly acceptChecksum?: string;
  readonly yes?: boolean;
};

type Wish =
  | { readonly kind: 'look' }
  | { readonly kind: 'choice'; readonly choice: ResolveChoice }
  | { readonly kind: 'retry'; readonly number: number | null }
  | { readonly kind: 'checksum'; readonly number: number };

/** `deploy resolve`: shows what a person must decide, and does it. */
export async function resolveCommand(world: World, flags: Flags): Promise<number> {
  const wish = wishOf(flags);
  if (typeof wish === 'string') return printUsageError(world, wish);
  const answer = flags.inDoubt as InDoubtAnswer | undefined;
  switch (wish.kind) {
    case 'retry':
      return execute(world, flags, (context) => retryFailed(context, wish.number));
    case 'checksum':
      return execute(world, flags, (context) =>
        acceptChecksum(context, wish.number, (look) =>
          showAndConfirm(world, context, renderChecksum(look), flags),
        ),
      );
    case 'choice':
      return execute(world, flags, (context) => decide(world, flags, context, wish.choice));
    case 'look':
      return hasTerminal() && !flags.json
        ? execute(world, flags, (context) => decide(world, flags, context, null))
        : show(world, flags, answer ?? null);
  }
}

/** Without a terminal and without a choice there is only something to see: exit 13, or 0 for nothing. */
function show(world: World, flags: Flags, answer: InDoubtAnswer | null): Promise<number> {
  return inspect(world, flags, async (context) => {
    const { look, facts } = await findUndecided(context, answer);
    const { name } = context.config.database;
    if (look === null) return { value: null, text: renderNothing(name, facts), exitCode: 0 };
    const way = 'to decide: deploy resolve with one of these options and --yes\n';
    return { value: lookJson(look), text: renderLook(name, look) + way, exitCode: 13 };
  });
}

async function decide(
  world: World,
  flags: Flags,
  context: RunContext,
  wanted: ResolveChoice | null,
): Promise<void> {
  const found = await findUndecided(context, (flags.inDoubt as InDoubtAnswer | undefined) ?? null);
  const { look, facts } = found;
  const { name } = context.config.database;
  if (look === null) {
    context.report.database.statement = renderNothing(name, facts).trimEnd();
    return;
  }
  const text = renderLook(name, look);
  const choice = wanted ?? (await ask(world, text, look.options));
  if (wanted !== null) await showAndConfirm(world, context, `${text}Do it: ${wanted}?`, flags);
  await resolveRun(context, { look, facts }, choice);
}

/** Shows what is decided about, also where nobody is asked: the log of a job keeps it. */
async function showAndConfirm(
  world: World,
  { config }: RunContext,
  text: string,
  flags: Flags,
): Promise<void> {
  const shown = redact(text, config.secrets);
  if (flags.yes || !hasTerminal()) world.streams.stderr.write(`${shown}\n`);
  await confirm(world, shown, flags);
}

async function ask(
  world: World,
  text: string,
  options: Readonly<Record<ResolveChoice, { readonly possible: boolean }>>,
): Promise<ResolveChoice> {
  const possible = choices.filter((choice) => options[choice].possible);
  const chosen = await choose(world, text, possible);
  if (chosen !== null) return chosen;
  throw new DeployError('NOT_CONFIRMED', 'nothing was chosen', {
    next: ['the run stays as it is; deploy resolve shows it again'],
  });
}

function wishOf(flags: Flags): Wish | string {
  const wishes: Wish[] = [
    ...(flags.continue ? [{ kind: 'choice', choice: 'continue' } as const] : []),
    ...(flags.putBack ? [{ kind: 'choice', choice: 'put-back' } as const] : []),
    ...(flags.accept ? [{ kind: 'choice', choice: 'accept' } as const] : []),
  ];
  if (flags.retry !== undefined) {
    const number = flags.retry === true ? null : numberOf(flags.retry);
    if (number === undefined) return `${flags.retry} is no number of a migration`;
    wishes.push({ kind: 'retry', number });
  }
  if (flags.acceptChecksum !== undefined) {
    const number = numberOf(flags.acceptChecksum);
    if (number === undefined) return `${flags.acceptChecksum} is no number of a migration`;
    wishes.push({ kind: 'checksum', number });
  }
  if (wishes.length > 1) return 'resolve does one thing at a time: give one of its options';
  if (flags.inDoubt !== undefined && !['run', 'done'].includes(flags.inDoubt))
    return '--in-doubt is run or done';
  return wishes[0] ?? { kind: 'look' };
}

function numberOf(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
