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

/** Makes the records of the row. What a report of another version lacks is left out. Pure. */
export function recordsOf(row: Readonly<Record<string, string | null>>): RunRecords {
  const succeededAt = row['succeeded_at'] ?? null;
  const sizeBytes = row['size_bytes'] ?? null;
  return {
    errorCode: row['error_code'] ?? null,
    steps: stepsOf(row['steps'] ?? null),
    lastSuccessAt: succeededAt === null ? null : toIso(succeededAt),
    backup: backupOf(row['backup'] ?? null),
    databaseSizeBytes: sizeBytes === null ? null : Number(sizeBytes),
    masterdata: masterdataOf(row['masterdata'] ?? null),
  };
}

/** Of steps that were taken once for each version, the last: it is that of the last run. */
function stepsOf(text: string | null): RunRecords['steps'] {
  const steps = (JSON.parse(text ?? '[]') ?? []) as { kind?: string; duration_ms?: number }[];
  const durations = new Map<string, number>();
  for (const { kind = '', duration_ms: durationMs } of steps) {
    if (label.test(kind) && durationMs !== undefined) durations.set(kind, durationMs);
  }
  const all = [...durations].map(([step, durationMs]) => ({ step, durationMs }));
  return all.slice(0, mostLabels);
}

function backupOf(text: string | null): RunRecords['backup'] {
  const backup = JSON.parse(text ?? 'null') as { proven_at: string; size_bytes: number } | null;
  return backup === null ? null : { provenAt: backup.proven_at, sizeBytes: backup.size_bytes };
}

/** Has a list for each of `masterdataColumns`. */
function masterdataOf(text: string | null): RunRecords['masterdata'] {
  const lists = JSON.parse(text ?? '[]') as ((string | number)[] | null)[];
  const [entities, ...counts] = lists.map((list) => list ?? []);
  const records = (entities ?? []).map((entity, nth) => ({
    entity: String(entity),
    records: counts.reduce((sum, list) => sum + Number(list[nth] ?? 0), 0),
  }));
  return records.filter(({ entity }) => label.test(entity)).slice(0, mostLabels);
}
