import { runRestore } from '../run/restore-command.ts';
import { confirm } from './confirm.ts';
import { type CommonOptions, execute, type World } from './invoke.ts';

type Flags = CommonOptions & { readonly backup?: string; readonly yes?: boolean };

/**
 * `deploy restore --backup NAME|PATH`: exit code 0 when the database equals the set. Without a
 * confirmation it ends with what would be different, and nothing is changed.
 */
export async function restoreCommand(world: World, flags: Flags): Promise<number> {
  return execute(world, flags, (context) =>
    runRestore(context, flags.backup!, (lines) => confirm(world, lines.join('\n'), flags)),
  );
}
