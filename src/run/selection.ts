/** What the command line asks of `up`, and whether it fits what the database needs. */
import type { RowFormat } from '../backup/write-rows.ts';
import { DeployError } from '../errors/deploy-error.ts';
import type { Facts } from './facts.ts';
import type { Plan } from './plan.ts';

export type UpOptions = {
  /** Go forward although somebody went back from the required version. */
  readonly forward: boolean;
  /** `install`: only into an empty database. Left out: whatever the database needs. */
  readonly only?: 'install';
  /** Of a backup that is all that was asked for; SQL if left out. */
  readonly format?: RowFormat;
  /** What the command line selected; a step that changes data always brings its backup. */
  readonly select: ReadonlySet<'backup' | 'migrate' | 'masterdata' | 'validate'>;
};

/** Without a selection `up` does all of these. */
export const everything: UpOptions['select'] = new Set([
  'backup',
  'migrate',
  'masterdata',
  'validate',
]);

/**
 * What was asked for must fit what the database needs: looked at before the lock and under it.
 *
 * @throws DeployError `NOT_EMPTY`, `NO_TARGET`
 */
export function checkSelection(
  options: UpOptions,
  plan: Plan,
  facts: Facts,
  lock: 'before' | 'held',
): void {
  if (!options.select.has('migrate')) throwIfBehind(plan);
  // Who waited while another process installed has got what was asked for.
  const done = lock === 'held' && plan.mode === 'nothing to do';
  if (options.only === 'install' && !done) throwIfNotEmpty(plan, facts);
}

/** An unfinished run may be an installation that was cut off: it is gone on with. */
function throwIfNotEmpty({ from }: Plan, { relations, unfinished, server }: Facts): void {
  if (relations.length === 0 || unfinished !== null) return;
  const { name } = server.database;
  const message = `${name} has ${relations.length} tables and is at ${from ?? 'no version'}: it is not installed again`;
  throw new DeployError('NOT_EMPTY', message);
}

/** Master data alone needs the version that it was made for. */
function throwIfBehind({ cycles, from, to }: Plan): void {
  const wanted = cycles.some(({ masterdata }) => masterdata !== null);
  const behind = cycles.some(({ migrations, adopt }) => migrations.length + adopt.length > 0);
  if (!wanted || !behind) return;
  throw new DeployError(
    'NO_TARGET',
    `the master data is for ${to}, and the database is at ${from ?? 'no version'}`,
    {
      next: ['deploy up migrates first, and brings the master data then'],
    },
  );
}
