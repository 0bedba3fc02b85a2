/** What `deploy resolve` shows, as text and as JSON. Pure. */
import type { ChecksumLook } from '../run/accept-checksum.ts';
import type { Facts } from '../run/facts.ts';
import type { ResolveChoice, RunLook } from '../run/resolve-look.ts';

/** At most as many differences are shown as text; JSON has all. */
const shown = 30;

/** The choices in the order in which they are offered. */
export const choices: readonly ResolveChoice[] = ['continue', 'put-back', 'accept'];

/** The unfinished run for people: how far it got, what differs, what can be done. */
export function renderLook(database: string, look: RunLook): string {
  const { run, position, sinceBefore, untilExpected, options } = look;
  const lines = [
    `${database}: run ${run.runId} (${run.mode}, ${run.from ?? 'no version'} → ${run.to ?? 'no version'}) did not end`,
    `  state     ${run.state}, begun ${run.startedAt}; ${position}`,
    `  backup    ${run.backupSet ?? 'none taken yet'}`,
    ...differences('before', 'the structure against that before the run', sinceBefore),
    ...differences('expected', 'the structure against what the run was to make', untilExpected),
    ...(run.fencedAccounts.length > 0
      ? ['  fence     the application is fenced out; every end of the run lets it in']
      : []),
  ];
  for (const choice of choices) {
    const { possible, text } = options[choice];
    lines.push(`  ${`--${choice}`.padEnd(11)} ${possible ? text : `not possible: ${text}`}`);
  }
  return `${lines.join('\n')}\n`;
}

function differences(name: string, title: string, found: readonly string[] | null): string[] {
  const head = `  ${name.padEnd(9)} ${title}`;
  if (found === null) return [`${head}: not known`];
  if (found.length === 0) return [`${head}: no difference`];
  const more = found.length - shown;
  return [
    `${head}: ${found.length} ${found.length === 1 ? 'difference' : 'differences'}`,
    ...found.slice(0, shown).map((message) => `            ${message}`),
    ...(more > 0 ? [`            and ${more} more; --json has all`] : []),
  ];
}

/** The same for programs (snake_case). */
export function lookJson(look: RunLook): Record<string, unknown> {
  const { run, position, sinceBefore, untilExpected, options } = look;
  return {
    run_id: run.runId,
    ...{ mode: run.mode, state: run.state, from: run.from, to: run.to, backup: run.backupSet },
    started_at: run.startedAt,
    position,
    differences_since_before: sinceBefore,
    differences_until_expected: untilExpected,
    choices: Object.fromEntries(
      choices.map((choice) => [choice.replace('-', '_'), options[choice]]),
    ),
  };
}

/** What is there when every run has ended: migrations that failed and are not critical. */
export function renderNothing(database: string, { resolution }: Facts): string {
  const lines = [`${database}: every run has ended, there is nothing to decide`];
  for (const { number, name } of resolution.failed)
    lines.push(`  failed    ${number} ${name} is not critical: deploy resolve --retry ${number}`);
  return `${lines.join('\n')}\n`;
}

/** What is known about the change of an applied migration's file. */
export function renderChecksum({
  migration,
  recorded,
  kind,
  differences: found,
}: ChecksumLook): string {
  const { number, name, up, checksum } = migration;
  const what = {
    none: 'nothing differs',
    'not recorded': 'no checksum is recorded: nobody can tell whether the file changed',
    'line endings': 'only the line endings differ',
    contents: 'the contents differ',
  }[kind];
  const structure =
    kind !== 'contents'
      ? []
      : differences('structure', 'the database against what the files make now', found);
  return [
    `migration ${number} ${name}: ${what}`,
    `  file      ${up.path}, ${checksum}`,
    `  recorded  ${recorded ?? 'none'}`,
    ...structure,
    'The checksum of the file becomes the recorded one; nothing of the file is run.',
  ].join('\n');
}
