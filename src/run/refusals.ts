/** The reasons why a plan may not start, each found before anything is changed. Pure. */
import { missingRights, type Need } from '../database/grants.ts';
import { isDeployError } from '../errors/deploy-error.ts';
import { changesKey, statementsOf } from '../migrations/actions.ts';
import { correctDown } from '../migrations/correct-down.ts';
import type { Migration, MigrationScript, SchemaVersion } from '../migrations/migration.ts';
import type { Facts } from './facts.ts';
import type { Cycle, PlanSettings, Refusal } from './plan.ts';
import { refuseFence } from './refuse-fence.ts';

/** A schema without history that equals no known version. */
export function unknownSchema(facts: Facts): Refusal {
  const shown = (facts.adoption?.differences ?? [])
    .slice(0, 20)
    .map((difference) => difference.message);
  const nearest = facts.adoption?.nearest ?? 'any known version';
  return {
    code: 'SCHEMA_UNKNOWN',
    message: [
      `the database has tables but no history, and differs from ${nearest}:`,
      ...shown,
    ].join('\n'),
  };
}

/** You may only go to the next version, unless UPDATE_PATH=stepwise (DESIGN §5). */
export function refuseLongStep(
  settings: PlanSettings,
  {
    empty,
    from,
    path,
  }: {
    readonly empty: boolean;
    readonly from: SchemaVersion | null;
    readonly path: readonly SchemaVersion[];
  },
): Refusal[] {
  if (empty || path.length <= 1 || settings.updatePath === 'stepwise') return [];
  const way = [from ?? 'none', ...path].join(' → ');
  return [
    {
      code: 'STEP_TOO_LONG',
      message: `the database is at ${from ?? 'none'} and ${path.at(-1)} is required; the path is ${way}`,
      next: [`deploy ${path[0]} first, or set UPDATE_PATH=stepwise to walk the path in one run`],
    },
  ];
}

/** Rights that the run will need, with the GRANT statements, and accounts that can be fenced out. */
export function refuseRights(facts: Facts, settings: PlanSettings): Refusal[] {
  const needed = facts.missingRights;
  const refusals = refuseFence(facts, settings);
  if (needed.length === 0) return refusals;
  const lines = needed.map(
    ({ right, why }) => `${facts.server.currentUser} has not ${right}: ${why}`,
  );
  const grants = new Set(needed.map(({ grant }) => grant));
  return [{ code: 'RIGHT_MISSING', message: lines.join('\n'), next: [...grants] }, ...refusals];
}

/** A fresh installation that makes an administrator needs to know who. */
export function refuseInstall(
  facts: Facts,
  { admin }: PlanSettings,
  cycles: readonly Cycle[],
): Refusal[] {
  const installs = cycles.some(({ mode, masterdata }) => mode === 'install' && masterdata !== null);
  if (!installs || !facts.masterdata?.installFile) return [];
  const named = {
    ADMIN_USER: admin.user,
    ADMIN_EMAIL: admin.email,
    ADMIN_PASSWORD: admin.password,
  };
  const missing = Object.keys(named).filter((name) => !named[name as keyof typeof named]);
  if (missing.length === 0) return [];
  const message = `a fresh installation makes an administrator: ${missing.join(', ')} not set`;
  return [{ code: 'ADMIN_MISSING', message, where: facts.masterdata.installFile }];
}

/** What the plan can know from the text of the pending files alone. */
export function refuseStatements(cycles: readonly Cycle[]): Refusal[] {
  return eachScript(cycles).flatMap(({ script }) =>
    script.statements.flatMap(({ classification, line }): Refusal[] => {
      const where = `${script.path}:${line}`;
      if (classification.forbidden !== null) {
        return [
          {
            code: 'STATEMENT_FORBIDDEN',
            message: `${classification.verb}: ${classification.forbidden}`,
            where,
          },
        ];
      }
      if (script.rerunnable || classification.class !== 'opaque') return [];
      return [
        {
          code: 'STATEMENT_FORBIDDEN',
          message: `what ${classification.verb} does cannot be told, so it could not be resumed exactly`,
          where,
          next: [
            'rewrite it, or add --! rerunnable: true to the file when running its statements twice does no harm',
          ],
        },
      ];
    }),
  );
}

const PROCESS: Need = {
  rights: ['PROCESS'],
  on: { kind: 'global' },
  why: 'the ids of tables tell whether it took effect',
};

/** What the structural run found out. */
export function refuseStructure(facts: Facts, cycles: readonly Cycle[]): Refusal[] {
  const { structural } = facts;
  if (structural === null) return [];
  const { failure } = structural;
  if (failure !== null) {
    const { migration, number, of, where, cause } = failure;
    if (isDeployError(cause, 'STATEMENT_FORBIDDEN')) {
      const { code, message, next = [] } = cause;
      return [{ code, message, where, next }];
    }
    const message = `migration ${migration.number} ${migration.name} failed on an empty copy of the database, on statement ${number} of ${of}`;
    const part = where === migration.data?.path ? 'data function' : 'file';
    const isDown = cycles.some(({ direction }) => direction === 'down');
    const next = isDown ? { next: correctDown(migration.number, part) } : {};
    return [{ code: 'MIGRATION_UNSOUND', message, where, cause, ...next }];
  }
  // Where the ids of tables can be read they tell what the structure does not.
  const readsIds = missingRights(facts.server, [PROCESS]).length === 0;
  if (readsIds) return [];
  const changed = new Set(
    structural.statements
      .filter(({ changes }) => changes.length > 0)
      .map(({ migration, number }) => changesKey(migration, number)),
  );
  return eachScript(cycles).flatMap(({ script, migration }) =>
    script.statements
      .filter(
        ({ classification, number }) =>
          classification.invisible &&
          !script.rerunnable &&
          !changed.has(changesKey(migration.number, number)),
      )
      .map(
        ({ classification, line }): Refusal => ({
          code: 'STATEMENT_FORBIDDEN',
          message: `${classification.verb} leaves no trace in the structure, so it could not be resumed exactly`,
          where: `${script.path}:${line}`,
          next: missingRights(facts.server, [PROCESS]).map(({ grant }) => grant),
        }),
      ),
  );
}

function eachScript(cycles: readonly Cycle[]): { script: MigrationScript; migration: Migration }[] {
  return cycles.flatMap((cycle) =>
    cycle.migrations.flatMap((migration) => {
      const script = cycle.direction === 'up' ? migration.up : migration.down;
      return script === null || statementsOf(migration, cycle.direction).length === 0
        ? []
        : [{ script, migration }];
    }),
  );
}
