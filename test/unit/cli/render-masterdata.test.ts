import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { renderSync } from '../../../src/cli/render-masterdata.ts';
import type { EntityReport } from '../../../src/masterdata/report.ts';

function entity(name: string, counts: Partial<EntityReport>): EntityReport {
  const none = { inserted: 0, updated: 0, unchanged: 0, deleted: 0, changes: [], warnings: [] };
  return { entity: name, table: `gsm_${name}`, ...none, ...counts };
}

describe('a difference of master data, printed,', () => {
  test('has the entities with changes, their rows with old and new values, and what stays', () => {
    const spells = entity('spells', {
      ...{ updated: 52, inserted: 1, unchanged: 534 },
      changes: [
        {
          ...{ kind: 'updated', key: 'Leise Sohlen, midgard', id: '1' },
          fields: { level: { old: '2', new: '9' }, source_code: { old: 'KDZ', new: '' } },
        },
        { kind: 'inserted', key: 'Feuerkugel, midgard', id: null, fields: {} },
      ],
    });
    const text = renderSync({
      digest: 'x',
      entities: [spells, entity('difficulties', { unchanged: 88 }), entity('empty', {})],
    });

    assert.equal(
      text,
      `52 spells changed, 1 new, 0 deleted; 534 unchanged
  ~ Leise Sohlen, midgard (id 1)
      level        2 → 9
      source_code  KDZ → ''
  ~ and 51 more
  + Feuerkugel, midgard
unchanged: 88 difficulties
together: 52 changed, 1 new, 0 deleted; 622 unchanged
`,
    );
  });

  test('says so when nothing differs', () => {
    const text = renderSync({ digest: 'x', entities: [entity('spells', { unchanged: 5 })] });

    assert.equal(text, 'unchanged: 5 spells\nnothing differs: 5 rows are as they should be\n');
  });
});
