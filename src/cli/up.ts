import { openMigrations } from '../migrations/files.ts';
import { everything, type UpOptions } from '../run/selection.ts';
import { up } from '../run/up.ts';
import { type CommonOptions, execute, type World } from './invoke.ts';

type Flags = CommonOptions & {
  readonly dryRun?: boolean;
  readonly package?: string;
  readonly forward?: boolean;
  readonly backup?: boolean;
  readonly migrate?: boolean;
  readonly importMasterdata?: boolean;
  readonly validate?: boolean;
};

/** `deploy up`: exit code 0 when the database is as required. */
export async function upCommand(world: World, flags: Flags): Promise<number> {
  const own =
    flags.package === undefined
      ? world
      : { ...world, env: { ...world.env, PACKAGE: flags.package } };
  if (flags.dryRun) return (await import('./plan.ts')).planCommand(own, flags);
  const options = { forward: flags.forward ?? false, select: selectSteps(flags) };
  // Nothing else is asked for: then it is the command of that name.
  if (flags.validate && options.select.size === 1) {
    return (await import('./validate.ts')).validateCommand(own, flags);
  }
  return execute(own, flags, (context) => up(context, options), openMigrations);
}

/** Without a selection everything is done; a step that changes data always brings its backup. */
function selectSteps(flags: Flags): UpOptions['select'] {
  const { backup, migrate, importMasterdata, validate } = flags;
  const chosen = new Set<'backup' | 'migrate' | 'masterdata' | 'validate'>();
  if (backup) chosen.add('backup');
  if (migrate) chosen.add('migrate');
  if (importMasterdata) chosen.add('masterdata');
  if (validate) chosen.add('validate');
  return chosen.size === 0 ? everything : chosen;
}
