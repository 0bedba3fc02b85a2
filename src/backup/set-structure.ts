import { join } from 'node:path';
import type { Db } from '../database/connect.ts';
import { runSection } from './load.ts';
import type { BackupSet } from './manifest.ts';
import { readPackedText } from './packed-file.ts';
import { parseSections } from './section-file.ts';
import { LOADING_SESSION } from './structure-file.ts';

/**
 * Makes what the set holds, without its rows, in the connection's empty schema: tables, sequences,
 * views, routines, triggers, events. Changes the session.
 *
 * @throws DeployError `RESTORE_FAILED` naming the object; errors of files that cannot be read
 */
export async function loadSetStructure(
  db: Db,
  { dir, manifest }: Pick<BackupSet, 'dir' | 'manifest'>,
): Promise<void> {
  for (const statement of LOADING_SESSION) await db.run(statement);
  for (const kind of ['structure', 'keys', 'objects'] as const) {
    for (const { name } of manifest.files.filter((file) => file.kind === kind)) {
      for (const section of parseSections(await readPackedText(join(dir, name)))) {
        // Outside of `objects` a section without an object sets what is set already.
        if (section.key !== null || kind === 'objects')
          await runSection(db, section, 'RESTORE_FAILED');
      }
    }
  }
}
