import { emptiedTablesCheck } from './emptied-tables.ts';
import type { Check } from './finding.ts';
import { foreignKeyDataCheck } from './foreign-key-data.ts';
import { foreignKeyDefinitionCheck } from './foreign-key-definition.ts';
import { historyCheck } from './history-complete.ts';
import { masterdataCheck } from './masterdata-present.ts';
import { oldTablesCheck } from './old-tables.ts';
import { structureCheck } from './structure.ts';
import { versionTablesCheck } from './version-tables.ts';

/** All checks, in the order in which they run and are shown. */
export const checks: readonly Check[] = [
  structureCheck,
  oldTablesCheck,
  foreignKeyDefinitionCheck,
  foreignKeyDataCheck,
  versionTablesCheck,
  historyCheck,
  masterdataCheck,
  emptiedTablesCheck,
];
