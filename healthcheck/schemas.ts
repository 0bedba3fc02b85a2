/** JSON Schemas of all answers: fastify writes by them, tests and clients check by them. */

const text = { type: 'string' } as const;
const maybeText = { type: ['string', 'null'] } as const;
const flag = { type: 'boolean' } as const;
const whole = { type: 'integer' } as const;
const maybeWhole = { type: ['integer', 'null'] } as const;
const version = { type: ['string', 'null'], pattern: '^\\d+\\.\\d+\\.\\d+$' } as const;
const moment = { type: ['string', 'null'], format: 'date-time' } as const;

/** An object with exactly these fields. */
function object<P extends object>(properties: P) {
  return {
    type: 'object',
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
  } as const;
}

function orNull<S extends object>(schema: S) {
  return { anyOf: [{ type: 'null' }, schema] } as const;
}

const status = { type: 'string', enum: ['ok', 'warning', 'error'] } as const;
const migrations = { type: 'array', items: object({ number: whole, description: text }) } as const;
const state = {
  type: 'string',
  enum: [
    ...['as_required', 'behind', 'empty', 'deploying', 'ahead', 'unknown', 'cut_off'],
    ...['unreachable', 'access_denied', 'database_missing', 'unreadable', 'contents_invalid'],
  ],
} as const;

const run = object({
  mode: text,
  step: text,
  from: version,
  to: version,
  started_at: { type: 'string', format: 'date-time' },
  progress: orNull(object({ done: whole, total: whole })),
});

const lastRun = object({
  mode: text,
  outcome: maybeText,
  exit_code: maybeWhole,
  error_code: maybeText,
  started_at: moment,
  finished_at: moment,
  duration_seconds: { type: ['number', 'null'] },
});

/** How old the sample is that an answer is made of. */
const age = { sample_age_seconds: { type: 'number', minimum: 0 }, stale: flag } as const;

export const healthSchema = object({
  status,
  state,
  backend_version: maybeText,
  required_db_version: version,
  actual_db_version: version,
  db_version: version,
  migrations_pending: flag,
  pending_count: whole,
  pending_migrations: migrations,
  failed_migrations: migrations,
  compatible: flag,
  migration_needed: flag,
  compatibility_reason: text,
  last_migration: orNull(object({ number: whole, description: text, applied_at: moment })),
  deploying: flag,
  run: orNull(run),
  last_run: orNull(lastRun),
  last_success_at: moment,
  last_backup: orNull(object({ proven_at: moment, size_bytes: whole })),
  database_size_bytes: maybeWhole,
  ...age,
  timestamp: { type: 'string', format: 'date-time' },
});

export const versionSchema = object({
  backend: object({ version: maybeText, commit_hash: maybeText, build_date: maybeText }),
  deploy: object({
    version: text,
    release: maybeText,
    commit_hash: maybeText,
    build_date: maybeText,
    node_version: text,
  }),
  database: object({
    version,
    migration_number: maybeWhole,
    last_migration: orNull(
      object({ number: whole, description: text, applied_at: moment, applied_by: maybeText }),
    ),
    total_migrations_available: whole,
  }),
  compatibility: object({ compatible: flag, reason: text }),
  ...age,
});

export const liveSchema = object({ status: text });
export const readySchema = object({ ready: flag, status, state, ...age });
/** Of every answer below 500 that is no 200, and of a fault of this program. */
export const errorSchema = object({ error: text });
