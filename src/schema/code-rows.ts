/** The rows of information_schema that describe views, routines, triggers and events. */
import sql, { raw } from 'sql-template-tag';
import type { Db } from '../database/connect.ts';
import { readSelected, type Selection } from './table-rows.ts';

export type ViewRow = {
  readonly name: string;
  readonly definition: string | null;
  readonly checkOption: string;
  readonly definer: string;
  readonly security: string;
  readonly charset: string;
  readonly collation: string;
  readonly algorithm: string;
};

/** What decides how a stored program's text is read: part of each of them. */
export type CodeRow = {
  readonly name: string;
  readonly body: string | null;
  readonly definer: string;
  readonly sqlMode: string;
  readonly charset: string;
  readonly connectionCollation: string;
  readonly databaseCollation: string;
};

export type TriggerRow = CodeRow & {
  readonly tableName: string;
  readonly timing: string;
  readonly event: string;
  readonly position: string | number;
};

export type RoutineRow = CodeRow & {
  readonly type: string;
  readonly isDeterministic: string;
  readonly dataAccess: string;
  readonly security: string;
  readonly comment: string;
};

export type ParameterRow = {
  readonly routineType: string;
  readonly routineName: string;
  readonly position: string | number;
  readonly mode: string | null;
  readonly name: string | null;
  readonly type: string;
  readonly collation: string | null;
};

export type EventRow = CodeRow & {
  readonly timeZone: string;
  readonly executeAt: string | null;
  readonly intervalValue: string | null;
  readonly intervalField: string | null;
  readonly starts: string | null;
  readonly ends: string | null;
  readonly status: string;
  readonly onCompletion: string;
  readonly comment: string;
};

const TRIO = `character_set_client AS charset, collation_connection AS connectionCollation,
  database_collation AS databaseCollation`;

/** The views of the selection. */
export function readViewRows(db: Db, selection: Selection): Promise<ViewRow[]> {
  return readSelected(db, selection, {
    view: 'VIEWS',
    columns: `table_name AS name, view_definition AS definition, check_option AS checkOption,
      definer AS definer, security_type AS security, character_set_client AS charset,
      collation_connection AS collation, algorithm AS algorithm`,
  });
}

/** The triggers of the selection's tables. */
export function readTriggerRows(db: Db, selection: Selection): Promise<TriggerRow[]> {
  return readSelected(db, selection, {
    view: 'TRIGGERS',
    columns: `trigger_name AS name, event_object_table AS tableName, action_timing AS timing,
      event_manipulation AS event, action_order AS position, action_statement AS body,
      sql_mode AS sqlMode, definer AS definer, ${TRIO}`,
  });
}

/** The procedures, functions and packages of a schema. */
export function readRoutineRows(db: Db, schema: string): Promise<RoutineRow[]> {
  return db.query(sql`SELECT routine_name AS name, routine_type AS type, routine_definition AS body,
    is_deterministic AS isDeterministic, sql_data_access AS dataAccess, security_type AS security,
    routine_comment AS comment, sql_mode AS sqlMode, definer AS definer, ${raw(TRIO)}
    FROM information_schema.ROUTINES WHERE routine_schema = ${schema}`);
}

/** The parameters of a schema's routines; position 0 is what a function returns. */
export function readParameterRows(db: Db, schema: string): Promise<ParameterRow[]> {
  return db.query(sql`SELECT routine_type AS routineType, specific_name AS routineName,
    ordinal_position AS position, parameter_mode AS mode, parameter_name AS name,
    dtd_identifier AS type, collation_name AS collation
    FROM information_schema.PARAMETERS WHERE specific_schema = ${schema}`);
}

/** The events of a schema. */
export function readEventRows(db: Db, schema: string): Promise<EventRow[]> {
  return db.query(sql`SELECT event_name AS name, event_definition AS body, time_zone AS timeZone,
    execute_at AS executeAt, interval_value AS intervalValue, interval_field AS intervalField,
    starts AS starts, ends AS ends, status AS status, on_completion AS onCompletion,
    event_comment AS comment, sql_mode AS sqlMode, definer AS definer, ${raw(TRIO)}
    FROM information_schema.EVENTS WHERE event_schema = ${schema}`);
}
