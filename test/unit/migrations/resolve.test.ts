import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AppliedMigration, FailedMigration } from '../../../src/history/read.ts';
import type { Migration } from '../../../src/migrations/migration.ts';
import { resolve } from '../../../src/migrations/resolve.ts';
import { makeApplied, makeFailed, makeMigration } from '../../support/migrations.ts';

const one = makeMigration({ number: 1, version: '0.9.0' });
const two = makeMigration({ number: 2, version: '0.9.0' });
const three = makeMigration({ number: 3, version: '0.10.0' });
const four = makeMigration({ number: 4, version: '0.10.0' });
const all = [one, two, three, four];

function resolveAll(
  migrations: readonly Migration[],
  applied: readonly AppliedMigration[],
  failed: readonly FailedMigration[] = [],
) {
  const versions = [...new Set(migrations.map(({ version }) => version))];
  return resolve({ migrations, versions }, { applied, failed });
}

const applied = (...migrations: readonly Migration[]) =>
  migrations.map((migration) => makeApplied(migration));

describe('resolve', () => {
  test('finds everything pending and no version when nothing is applied', () => {
    const found = resolveAll(all, []);

    assert.deepEqual(found.pending, all);
    assert.deepEqual(found.applied, []);
    assert.deepEqual(found.outOfOrder, []);
    assert.equal(found.actualVersion, null);
  });

  test('finds nothing pending and the highest version when everything is applied', () => {
    const found = resolveAll(all, applied(...all));

    assert.deepEqual(found.pending, []);
    assert.deepEqual(found.applied, all);
    assert.equal(found.actualVersion, '0.10.0');
  });

  test('has no version without files', () => {
    assert.equal(resolveAll([], []).actualVersion, null);
  });

  test('reaches a version only when all of its migrations are applied', () => {
    assert.equal(resolveAll(all, applied(one)).actualVersion, null);
    assert.equal(resolveAll(all, applied(one, two)).actualVersion, '0.9.0');
    assert.equal(resolveAll(all, applied(one, two, three)).actualVersion, '0.9.0');
  });

  test('does not reach a version while one before it has a hole', () => {
    const found = resolveAll(all, applied(one, three, four));

    assert.equal(found.actualVersion, null);
    assert.deepEqual(found.pending, [two]);
  });

  test('calls a pending migration below an applied one out of order', () => {
    const found = resolveAll(all, applied(one, two, four));

    assert.deepEqual(found.outOfOrder, [three]);
  });

  test('does not depend on the order of the rows', () => {
    const rows = applied(...all);

    assert.deepEqual(resolveAll(all, rows.toReversed()), resolveAll(all, rows));
  });

  test('counts a version as reached when what is open failed and is not critical', () => {
    const optional = { ...four, critical: false };

    const found = resolveAll([one, two, three, optional], applied(one, two, three), [
      makeFailed(optional),
    ]);

    assert.deepEqual(found.failed, [optional]);
    assert.deepEqual(found.pending, []);
    assert.equal(found.actualVersion, '0.10.0');
  });

  test('does not call a failed one that is not critical out of order', () => {
    const optional = { ...two, critical: false };

    const found = resolveAll([one, optional, three, four], applied(one, three, four), [
      makeFailed(optional),
    ]);

    assert.deepEqual(found.outOfOrder, []);
    assert.equal(found.actualVersion, '0.10.0');
  });

  test('keeps a migration that is not critical pending until somebody has tried it', () => {
    const optional = { ...four, critical: false };

    const found = resolveAll([one, two, three, optional], applied(one, two, three));

    assert.deepEqual(found.pending, [optional]);
    assert.equal(found.actualVersion, '0.9.0');
  });

  test('holds the version back for a critical migration that failed', () => {
    const found = resolveAll(all, applied(one, two, three), [makeFailed(four)]);

    assert.deepEqual(found.failed, []);
    assert.deepEqual(found.pending, [four]);
    assert.equal(found.actualVersion, '0.9.0');
  });

  test('finds a changed file by its checksum', () => {
    const recorded = makeApplied(two, { checksum: 'another' });

    const { changed } = resolveAll(all, [makeApplied(one), recorded]);

    assert.deepEqual(changed, [{ migration: two, recorded, onlyLineEndings: false }]);
  });

  test('says so when only line endings differ', () => {
    const { changed } = resolveAll(all, [makeApplied(one, { checksum: 'crlf-1' })]);

    assert.equal(changed[0]?.onlyLineEndings, true);
  });

  test('accepts a checksum over the bytes as they are, as another tool records it', () => {
    assert.deepEqual(resolveAll(all, [makeApplied(one, { checksum: 'raw-1' })]).changed, []);
  });

  test('finds a file changed that has moved to another version', () => {
    const { changed } = resolveAll(all, [makeApplied(one, { version: '0.8.0', checksum: null })]);

    assert.equal(changed[0]?.migration, one);
    assert.equal(changed[0]?.onlyLineEndings, false);
  });

  test('does not call a file changed whose checksum nobody recorded', () => {
    const found = resolveAll(all, [makeApplied(one, { checksum: null }), makeApplied(two)]);

    assert.deepEqual(found.changed, []);
    assert.deepEqual(found.unknownChecksum, [one]);
  });

  test('misses the file of an applied migration', () => {
    const found = resolveAll([one, three, four], applied(...all));

    assert.deepEqual(found.missing, [makeApplied(two)]);
    assert.deepEqual(found.ahead, []);
    assert.equal(found.actualVersion, '0.10.0');
  });

  test('knows a database that a newer image has taken ahead', () => {
    const six = makeMigration({ number: 6, version: '0.12.0' });
    const five = makeMigration({ number: 5, version: '0.11.0' });

    const found = resolveAll(all, applied(...all, six, five));

    assert.deepEqual(found.ahead, [makeApplied(five), makeApplied(six)]);
    assert.deepEqual(found.missing, []);
    assert.equal(found.actualVersion, '0.12.0');
  });

  test('takes any applied version for ahead when there are no files', () => {
    assert.equal(resolveAll([], applied(one)).actualVersion, '0.9.0');
  });

  test('misses a file also when the recorded version is none', () => {
    const odd = makeApplied(makeMigration({ number: 9 }), { version: 'nine' });

    const found = resolveAll(all, [...applied(...all), odd]);

    assert.deepEqual(found.missing, [odd]);
    assert.equal(found.actualVersion, '0.10.0');
  });
});
