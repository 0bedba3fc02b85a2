/** Makes views, routines, triggers and events of the model from rows of information_schema. Pure. */
import { DeployError } from '../errors/deploy-error.ts';
import type {
  CodeRow,
  EventRow,
  ParameterRow,
  RoutineRow,
  TriggerRow,
  ViewRow,
} from './code-rows.ts';
import type { StoredObject } from './model.ts';
import { normaliseCharset, normaliseType, routineKind, withoutOwnSchema } from './normalise.ts';

/** Throws RIGHT_MISSING when the account may not see the view's text. */
export function makeView(row: ViewRow, schema: string): StoredObject {
  if (!row.definition) throw hidden('view', row.name, schema, 'SHOW VIEW');
  return {
    kind: 'view',
    name: row.name,
    definition: withoutOwnSchema(row.definition, schema),
    attributes: {
      algorithm: row.algorithm,
      checkOption: row.checkOption,
      definer: row.definer,
      security: row.security,
      charset: normaliseCharset(row.charset) ?? '',
      connectionCollation: normaliseCharset(row.collation) ?? '',
    },
  };
}

/** A trigger; its body is the text as it was written. */
export function makeTrigger(row: TriggerRow): StoredObject {
  return {
    kind: 'trigger',
    name: row.name,
    definition: row.body ?? '',
    attributes: {
      table: row.tableName,
      timing: row.timing,
      event: row.event,
      order: String(row.position),
      ...codeAttributes(row),
    },
  };
}

/** A routine or package. Throws RIGHT_MISSING when the account may not see its body. */
export function makeRoutine(
  row: RoutineRow,
  parameters: readonly ParameterRow[],
  schema: string,
): StoredObject {
  const kind = routineKind(row.type);
  if (row.body === null) throw hidden(kind, row.name, schema, 'SELECT on mysql.proc');
  const own = parameters
    .filter(({ routineName, routineType }) => routineName === row.name && routineType === row.type)
    .toSorted((a, b) => Number(a.position) - Number(b.position));
  const returns = own.find(({ position }) => Number(position) === 0);
  return {
    kind,
    name: row.name,
    definition: row.body,
    attributes: {
      parameters: own
        .filter((parameter) => parameter !== returns)
        .map(parameterText)
        .join(', '),
      ...(returns === undefined ? {} : { returns: typeText(returns) }),
      deterministic: row.isDeterministic,
      dataAccess: row.dataAccess,
      security: row.security,
      comment: row.comment,
      ...codeAttributes(row),
    },
  };
}

/** An event. Its times are those of its own time zone. */
export function makeEvent(row: EventRow): StoredObject {
  return {
    kind: 'event',
    name: row.name,
    definition: row.body ?? '',
    attributes: {
      schedule: scheduleText(row),
      onCompletion: row.onCompletion,
      // Whether it fires on this server is no part of the structure: a run holds events (events.ts).
      status: row.status === 'SLAVESIDE_DISABLED' ? 'ENABLED' : row.status,
      timeZone: row.timeZone,
      comment: row.comment,
      ...codeAttributes(row),
    },
  };
}

function scheduleText(row: EventRow): string {
  if (row.executeAt !== null) return `AT '${row.executeAt}'`;
  const every = `EVERY ${row.intervalValue} ${row.intervalField}`;
  const starts = row.starts === null ? '' : ` STARTS '${row.starts}'`;
  return every + starts + (row.ends === null ? '' : ` ENDS '${row.ends}'`);
}

function codeAttributes(row: CodeRow): Record<string, string> {
  return {
    definer: row.definer,
    sqlMode: row.sqlMode,
    charset: normaliseCharset(row.charset) ?? '',
    connectionCollation: normaliseCharset(row.connectionCollation) ?? '',
    databaseCollation: normaliseCharset(row.databaseCollation) ?? '',
  };
}

function parameterText(row: ParameterRow): string {
  return [row.mode ?? '', row.name ?? '', typeText(row)].join(' ').trim();
}

function typeText(row: ParameterRow): string {
  const type = normaliseType(row.type);
  return row.collation === null ? type : `${type} collate ${normaliseCharset(row.collation)}`;
}

function hidden(kind: string, name: string, schema: string, right: string): DeployError {
  return new DeployError('RIGHT_MISSING', `the account may not read the ${kind} ${name}`, {
    where: `${kind} ${name}`,
    next: [
      `let an administrator grant the account ${right}${right === 'SHOW VIEW' ? ` on ${schema}.*` : ''}`,
    ],
    facts: { right, kind, name },
  });
}
