/** `deploy masterdata lint`: what is likely to be a mistake in master data. Needs no server. */
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadConfig } from '../config/load.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { readEntities } from '../masterdata/entities.ts';
import { loadFormats } from '../masterdata/former.ts';
import { type LintFinding, lintMasterdata } from '../masterdata/lint.ts';
import { openMasterdata } from '../masterdata/open.ts';
import { readMasterdata } from '../masterdata/read.ts';
import { type CommonOptions, guard, type World } from './invoke.ts';

/** Prints the findings; exit code 15 when there are any. Reads files only. */
export async function lintCommand(
  world: World,
  flags: CommonOptions & { readonly input?: string },
): Promise<number> {
  return guard(world, flags, async () => {
    const { masterdataDir } = loadConfig(world.env, { database: 'optional' });
    if (masterdataDir === null) {
      const message = 'there is no folder with an entities.json: set MASTERDATA_DIR';
      throw new DeployError('CONFIG_INVALID', message);
    }
    const entities = await readEntities(masterdataDir);
    const formats = await loadFormats(masterdataDir);
    const source = flags.input === undefined ? masterdataDir : path.resolve(flags.input);
    const opened = await openMasterdata(source, { entities, formats, tmpDir: tmpdir() });
    try {
      const { data } = await readMasterdata(opened.dir, entities);
      const findings = await lintMasterdata(entities, data);
      const output = flags.json ? `${JSON.stringify({ findings }, null, 2)}\n` : render(findings);
      world.streams.stdout.write(output);
      return findings.length === 0 ? 0 : 15;
    } finally {
      await opened.remove();
    }
  });
}

function render(findings: readonly LintFinding[]): string {
  if (findings.length === 0) return 'nothing found\n';
  const rules = [...Map.groupBy(findings, ({ rule }) => rule)];
  const counts = rules.map(([rule, { length }]) => `${length} × ${rule}`).join(', ');
  const lines = findings.map(
    ({ rule, file, index, key, message }) =>
      `${file} data[${index}] (${key})\n  ${rule}: ${message}`,
  );
  return `${lines.join('\n')}\n${counts}\n`;
}
