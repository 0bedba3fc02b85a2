import { runRestore } from '../run/back.ts';
import { confirm } from './confirm.ts';
import { type CommonOptions, execute, type World } from './invoke.ts';

type Flags = CommonOptions & { readonly backup?: string; readonly yes?: boolean };

/** `deploy restore --backup NAME|PATH`: exit code 0 when the database equals the set. */
export async function restoreCommand(world: World, flags: Flags): Promise<number> {
  return execute(world, flags, (context) =>
    runRestore(context, flags.backup!, (set, facts) => {
      const { name } = facts.server.database;
      const at = facts.resolution.actualVersion ?? 'no version';
      const question = [
        `${name} is at ${at}. It becomes what backup set ${set.name} holds: version`,
        `${set.manifest.schemaVersion ?? 'none'}, ${set.manifest.tables.length} tables, of ${set.manifest.createdAt}.`,
        'What is there now is backed up and proven before.',
      ].join(' ');
      return confirm(world, question, flags);
    }),
  );
}
