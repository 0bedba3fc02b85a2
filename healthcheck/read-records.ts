/** What the runs wrote down for those who watch: durations, the last proven backup, sizes. */
import sql, { join } from 'sql-template-tag';
import type { Db } from '../src/database/connect.ts';
import { qualified } from '../src/database/identifier.ts';
import type { RunRecords } from './facts.ts';
import { toIso } from './read-runs.ts';

/** A set that was proven longer ago than this many runs is no longer looked for. */
const mostRuns = 200;
/** Labels of metrics: few, and of a known form, whatever a report holds. */
const mostLabels = 100;
const label = /^[a-z][a-z0-9_]{0,63}$/;
/** A code of the error catalogue; it goes to the public. */
const code = /^[A-Z][A-Z0-9_]{0,63}$/;

/** Of each entity that a sync reports: not the rows, which the report has as well. */
const masterdataColumns = ['entity', 'inserted', 'updated', 'unchanged'].map(
  (field) => sql`JSON_EXTRACT(report, ${`$.masterdata.entities[*].${field}`})`,
);

/** Of a database without runs. */
export const noRecords: RunRecords = {
  ...{ errorCode: null, steps: [], lastSuccessAt: null, backup: null, databaseSizeBytes: null },
  masterdata: [],
};

/** Reads the records; `runId` is the last run that was closed. One query. */
export async function readRecords(
  db: Db,
  database: string,
  runId: string | null,
): Promise<RunRecords> {
  const table = qualified(database, 'deploy_run');
  const last = sql`FROM ${table} WHERE run_id = ${runId}`;
  const newest = sql`state = 'closed' AND id + ${mostRuns} > (SELECT MAX(id) FROM ${table})`;
  const row = await db.one<Record<string, string | null>>(sql`SELECT
    (SELECT JSON_VALUE(report, '$.error.code') ${last}) AS error_code,
    (SELECT JSON_EXTRACT(report, '$.steps') ${last}) AS steps,
    (SELECT finished_at FROM ${table} WHERE state = 'closed' AND outcome = 'done'
      AND mode <> 'backup' ORDER BY id DESC LIMIT 1) AS succeeded_at,
    (SELECT JSON_EXTRACT(report, '$.backup') FROM ${table} WHERE ${newest}
      AND JSON_VALUE(report, '$.backup.proven_at') IS NOT NULL ORDER BY id DESC LIMIT 1) AS backup,
    (SELECT COALESCE(JSON_VALUE(report, '$.database.size_after_bytes'),
        JSON_VALUE(report, '$.database.size_before_bytes'))
      FROM ${table} WHERE ${newest} AND JSON_VALUE(report, '$.database.size_before_bytes') IS NOT NULL
      ORDER BY id DESC LIMIT 1) AS size_bytes,
    (SELECT JSON_ARRAY(${join(masterdataColumns)})
      FROM ${table} WHERE ${newest} AND outcome = 'done' AND masterdata_digest IS NOT NULL
      ORDER BY id DESC LIMIT 1) AS masterdata`);
  return recordsOf(row ?? {});
}

/**
 * Makes the records of the row. What a report of another version lacks, and what is not of the
 * form that a report has, is left out: these are numbers to look at, and nothing hangs on them. Pure.
 */
export function recordsOf(row: Readonly<Record<string, string | null>>): RunRecords {
  const succeededAt = row['succeeded_at'] ?? null;
  const errorCode = row['error_code'] ?? null;
  return {
    errorCode: errorCode !== null && code.test(errorCode) ? errorCode : null,
    steps: stepsOf(parse(row['steps'])),
    lastSuccessAt: succeededAt === null ? null : toIso(succeededAt),
    backup: backupOf(parse(row['backup'])),
    databaseSizeBytes: countOf(parse(row['size_bytes'])),
    masterdata: masterdataOf(parse(row['masterdata'])),
  };
}

/** Of steps that were taken once for each version, the last: it is that of the last run. */
function stepsOf(steps: unknown): RunRecords['steps'] {
  const durations = new Map<string, number>();
  for (const step of listOf(steps)) {
    const { kind, duration_ms } = fieldsOf(step);
    const durationMs = countOf(duration_ms);
    if (isLabel(kind) && durationMs !== null) durations.set(kind, durationMs);
  }
  const all = [...durations].map(([step, durationMs]) => ({ step, durationMs }));
  return all.slice(0, mostLabels);
}

function backupOf(backup: unknown): RunRecords['backup'] {
  const { proven_at: provenAt, size_bytes } = fieldsOf(backup);
  const sizeBytes = countOf(size_bytes);
  if (typeof provenAt !== 'string' || Number.isNaN(Date.parse(provenAt))) return null;
  return sizeBytes === null ? null : { provenAt, sizeBytes };
}

/** Has a list for each of `masterdataColumns`. */
function masterdataOf(lists: unknown): RunRecords['masterdata'] {
  const [entities, ...counts] = listOf(lists).map(listOf);
  const records = (entities ?? []).map((entity, nth) => ({
    entity,
    records: counts.reduce((sum, list) => sum + (countOf(list[nth]) ?? 0), 0),
  }));
  return records
    .flatMap(({ entity, records }) => (isLabel(entity) ? [{ entity, records }] : []))
    .slice(0, mostLabels);
}

/** Undefined for what is no JSON. */
function parse(text: string | null | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return undefined;
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** Milliseconds, bytes, rows. */
function countOf(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : null;
}

function isLabel(value: unknown): value is string {
  return typeof value === 'string' && label.test(value);
}
