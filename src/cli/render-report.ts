import { showNumber } from '../migrations/install-number.ts';
import { formatBytes } from '../run/context.ts';
import { conversionText } from '../run/masterdata-source.ts';
import type { Report, ReportMigration } from '../run/report.ts';
import { renderCounts } from './render-counts.ts';

/** The report of a run that had something to do, for people: what was done, how long it took, where the database is. Pure. */
export function renderReport(report: Report, path: string | null): string {
  const { database } = report;
  const lines = [`deploy: ${database.statement}`];
  lines.push(`  run       ${report.run_id} (${report.mode})`);
  for (const backup of report.backups) {
    const how = backup.reused ? 'still equal, used again' : 'taken and proven';
    lines.push(
      `  backup    ${backup.name}: ${backup.tables} tables, ${backup.rows} rows, ${formatBytes(backup.size_bytes)}, ${how}`,
    );
  }
  lines.push(...report.migrations.map(renderMigration));
  for (const { kind, status, duration_ms } of report.steps) {
    if (duration_ms > 0)
      lines.push(`  step      ${kind.padEnd(10)} ${String(duration_ms).padStart(7)} ms  ${status}`);
  }
  if (report.pruned.length > 0) lines.push(`  pruned    ${report.pruned.join(', ')}`);
  if (database.size_before_bytes !== null && database.size_after_bytes !== null) {
    lines.push(
      `  size      ${formatBytes(database.size_before_bytes)} before, ${formatBytes(database.size_after_bytes)} after`,
    );
  }
  if (report.masterdata_conversion !== null) {
    const [head, ...notes] = conversionText(report.masterdata_conversion).split('\n');
    lines.push(`  format    ${head}`, ...notes.map((note) => `          ${note}`));
  }
  if (report.masterdata !== null) {
    lines.push(...renderCounts(report.masterdata).map((line) => `  rows      ${line}`));
    if (report.masterdata_changes !== null)
      lines.push(`  before    ${report.masterdata_changes} has what these rows were`);
  }
  for (const warning of report.warnings) lines.push(`  warning   ${warning}`);
  for (const line of report.next) lines.push(`  next      ${line}`);
  if (path !== null) lines.push(`  report    ${path}`);
  return `${lines.join('\n')}\n`;
}

function renderMigration(migration: ReportMigration): string {
  const title = `${showNumber(migration.number)} ${migration.description} (${migration.version})`;
  const { statements } = migration;
  // A migration of an adopted database is recorded without being run.
  if (statements.length === 0 && migration.direction === 'up') return `  recorded  ${title}`;
  const rows = statements.reduce((sum, statement) => sum + statement.rows, 0);
  const verb = migration.direction === 'up' ? 'applied ' : 'reverted';
  return `  ${verb}  ${title}: ${statements.length} statements, ${rows} rows, ${migration.duration_ms} ms`;
}
