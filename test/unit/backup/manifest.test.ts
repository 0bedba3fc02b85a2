import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeManifest, encodeManifest, type Manifest } from '../../../src/backup/manifest.ts';

const manifest: Manifest = {
  format: 1,
  name: 'backup_20260116_103005',
  database: 'it\'s "odd"',
  createdAt: '2026-01-16T10:30:05.000Z',
  sequence: 4,
  schemaVersion: null,
  migrationNumber: null,
  server: { version: '10.11.19-MariaDB', variables: { sql_mode: '' } },
  tool: { version: '0.1.0', dumpVersion: 'x' },
  ...{ charset: 'utf8mb4', collation: 'utf8mb4_bin', comment: '' },
  definers: ['app@%'],
  files: [{ name: 'rows.sql.zst', kind: 'rows', table: 't', sha256: 'a'.repeat(64), sizeBytes: 3 }],
  tables: [
    {
      name: 't',
      rows: 1,
      hash: 'a-b',
      structure: 'c',
      autoIncrement: '18446744073709551615',
      engine: 'InnoDB',
      writer: 'own',
    },
  ],
  ...{ longestStatementBytes: 1_000_000, invalidViews: ['v'] },
  sequences: [{ name: 's', state: { next_not_cached_value: '1' } }],
  objects: [{ key: 'sequence:s', fingerprint: 'f' }],
  structure: 'd',
  proof: null,
  runId: null,
  reason: 'test',
};

test('a manifest of every format is read as it was written', () => {
  for (const format of [1, 2] as const) {
    const written = { ...manifest, format };
    assert.deepEqual(decodeManifest(encodeManifest(written), 'x'), written);
  }
});

test('a change of any character of its text is seen', () => {
  const text = encodeManifest(manifest);
  for (let at = 0; at < text.length - 1; at++) {
    const changed = `${text.slice(0, at)}${text[at] === '1' ? '2' : '1'}${text.slice(at + 1)}`;
    assert.throws(() => decodeManifest(changed, 'x'), { code: 'BACKUP_SET_INVALID' }, `at ${at}`);
  }
});

test('a file name that leads out of the folder is refused', () => {
  for (const name of ['../x', '/etc/passwd', 'a/b', '.hidden']) {
    const forged = { ...manifest, files: [{ ...manifest.files[0]!, name }] };
    assert.throws(() => decodeManifest(encodeManifest(forged), 'x'), {
      code: 'BACKUP_SET_INVALID',
    });
  }
});
