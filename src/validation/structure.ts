import { VERSION_TABLES } from '../history/tables.ts';
import { compareSchemas } from '../schema/compare.ts';
import type { SchemaDifference } from '../schema/model.ts';
import { type Check, type Finding, makeFinding } from './finding.ts';

const name = 'structure';

/**
 * Something more than expected is information: others may keep what is theirs in the database.
 * Tables besides are left to `old-tables`; the version tables may have types of their own.
 */
export const structureCheck: Check = {
  name,
  asks: 'Does the database have the tables, columns, indexes, keys and code of its version?',
  run({ expected, actual }) {
    const ignore = (key: string) => VERSION_TABLES.some((table) => key === `table:${table}`);
    return compareSchemas(expected, actual, { ignore })
      .filter((one) => !isTableBesides(one, expected.objects.has(one.key)))
      .map(toFinding);
  },
};

function isTableBesides({ key, kind }: SchemaDifference, isExpected: boolean): boolean {
  return kind === 'extra' && key.startsWith('table:') && !isExpected;
}

function toFinding({ key, kind, message, additive }: SchemaDifference): Finding {
  const about = `${key} ${message}`;
  if (additive)
    return makeFinding(name, 'info', {
      about,
      message,
      advice: 'nothing needs to be done: what is besides is left alone',
    });
  return makeFinding(name, 'error', {
    about,
    message,
    advice:
      kind === 'missing'
        ? 'deploy up adds what can be added (SAFETY_NET=additive); else write a migration'
        : 'find out who changed it; a migration can bring it back',
  });
}
