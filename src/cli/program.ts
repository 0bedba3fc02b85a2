/** The command line: which commands there are, their options, and where each is carried out. */
import { Command, CommanderError, Option } from 'commander';
import { renderExitCodes } from './exit-codes.ts';
import type { CommonOptions, World } from './invoke.ts';
import { addBackup } from './program-backup.ts';
import { addRepair } from './program-repair.ts';

type Action = (
  options: Record<string, unknown> & CommonOptions,
  /** What the command line has behind the command besides options. */
  operands: readonly string[],
) => Promise<number>;

/**
 * Runs the command of `args` and gives the exit code. Commands are loaded when they are called,
 * so that `deploy version` does not pay for the database driver.
 */
export async function runProgram(args: readonly string[], world: World): Promise<number> {
  let exitCode = 0;
  const program = makeProgram(world, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    const { printUsageError } = await import('./usage.ts');
    return printUsageError(world, error.message.replace(/^error: /, ''));
  }
}

function makeProgram(world: World, finish: (exitCode: number) => void): Command {
  const program = new Command('deploy')
    .description(
      'Backs up, proves the backup, migrates, and puts everything back when anything goes wrong.',
    )
    .exitOverride()
    .configureOutput({
      writeOut: (text) => world.streams.stdout.write(text),
      // What is wrong with the command line is shown like every other failure.
      writeErr: () => undefined,
      outputError: () => undefined,
    })
    .helpCommand(false);
  const add = (
    parent: Command,
    spec: string,
    description: string,
    exitCodes: readonly number[],
    action: Action,
  ) =>
    parent
      .command(spec)
      .description(description)
      .option('--json', 'print JSON on stdout')
      .option('--verbose', 'log every step')
      .addHelpText('after', `\nExit codes:\n${renderExitCodes(exitCodes)}`)
      .action(async (...given: unknown[]) => {
        // Commander gives the operands, then the options, then the command itself.
        const command = given.at(-1) as Command;
        finish(await action(command.opts(), command.args));
      });

  addRuns(program, world, add);
  addReaders(program, world, add);
  addMasterdata(program, world, add);
  addTools(program, world, add);
  addRepair(program, world, add);
  const help = program
    .command('help [topic]')
    .description('show this help, that of a command, or `help env`: the environment variables');
  help.action(async (topic: string | undefined) => {
    const { showHelp } = await import('./help.ts');
    finish(showHelp(program, topic, world));
  });
  return program;
}

/** Adds a command with what all commands have: --json, --verbose, exit codes in its help. */
export type Add = (
  parent: Command,
  spec: string,
  description: string,
  exitCodes: readonly number[],
  action: Action,
) => Command;

const changing = [0, 1, 10, 11, 12, 13, 14, 15, 16, 20, 21, 22, 23] as const;
const changingOrDry = [...changing, 30] as const;

function addRuns(program: Command, world: World, add: Add): void {
  add(
    program,
    'up',
    'bring the database to the required version, or leave it as it was (the default)',
    changingOrDry,
    async (options) => (await import('./up.ts')).upCommand(world, options),
  )
    .alias('deploy')
    .option('--dry-run', 'print the plan and change nothing')
    .option('--package <file>', 'take the master data from this deployment package')
    .option('--forward', 'go forward although somebody went back from the required version')
    .option('--backup', 'only these steps: take a backup')
    .option('--migrate', 'only these steps: migrate (always with its backup)')
    .option('--import-masterdata', 'only these steps: import master data')
    .option('--validate', 'only these steps: validate');
  add(
    program,
    'init',
    'install into an empty database; refuses any other',
    changing,
    async (options) => (await import('./init.ts')).initCommand(world, options),
  )
    .option('--masterdata <dir>', 'master data to bring in; that of the image if left out')
    .option('--admin-user <name>', 'first administrator; the password is never an option')
    .option('--admin-email <address>', 'e-mail address of that administrator');
  add(
    program,
    'rollback',
    'run the down files of the newest migrations, with a backup before',
    changingOrDry,
    async (options) => (await import('./rollback.ts')).rollbackCommand(world, options),
  )
    .option('--steps <n>', 'how many migrations to take back')
    .option('--to-version <version>', 'the version to go back to, e.g. 0.4.0')
    .option('--accept-data-loss', 'go back although rows or columns are lost')
    .option('--dry-run', 'print the plan and change nothing')
    .option('--yes', 'do not ask');
  add(
    program,
    'restore',
    'bring the database to the contents of a backup set',
    changing,
    async (options) => (await import('./restore.ts')).restoreCommand(world, options),
  )
    .requiredOption('--backup <name|path>', 'the set; deploy backup list shows them')
    .option('--yes', 'do not ask');
}

function addReaders(program: Command, world: World, add: Add): void {
  add(
    program,
    'plan',
    'print exactly what `up` would do; changes nothing',
    [0, 1, 10, 12, 13, 15, 30],
    async (options) => (await import('./plan.ts')).planCommand(world, options),
  ).option('--forward', 'plan as `up --forward` would');
  add(
    program,
    'status',
    'print what is, what is pending, and whether the two fit',
    [0, 1, 10, 12, 15, 30, 31],
    async (options) => (await import('./status.ts')).statusCommand(world, options),
  );
  add(
    program,
    'doctor',
    'check configuration, connection, rights, space and files',
    [0, 1, 10, 12, 13],
    async (options) => (await import('./doctor.ts')).doctorCommand(world, options),
  );
  add(
    program,
    'version',
    'print the version of this program and of the backend it belongs to',
    [0],
    async (options) => (await import('./version.ts')).versionCommand(world, options),
  );
}

function addMasterdata(program: Command, world: World, add: Add): void {
  const masterdata = program.command('masterdata').description('rules data of the application');
  const reading = [0, 1, 10, 12, 15] as const;
  add(
    masterdata,
    'export',
    'write the master data of the database into a folder',
    reading,
    async (options) => (await import('./masterdata-export.ts')).exportCommand(world, options),
  ).requiredOption('--output <path>', 'the folder, or one file if it ends in .json');
  add(
    masterdata,
    'import',
    'bring master data into the database, with a backup before',
    changingOrDry,
    async (options) => (await import('./masterdata.ts')).importCommand(world, options),
  )
    .option('--input <dir>', 'a folder or file; the folder of the image if left out')
    .option('--dry-run', 'print what would change, with every field, and change nothing');
  add(
    masterdata,
    'diff',
    'print what an import would change; changes nothing',
    reading,
    async (options) => (await import('./masterdata.ts')).diffCommand(world, options),
  ).option('--input <dir>', 'a folder or file; the folder of the image if left out');
  add(
    masterdata,
    'lint',
    'look for what is allowed and still likely to be a mistake; needs no server',
    [0, 1, 10, 15],
    async (options) => (await import('./masterdata-lint.ts')).lintCommand(world, options),
  ).option('--input <path>', 'a folder or file; the folder of the image if left out');
  add(
    program,
    'prepare',
    'pack the master data of the database for another one',
    reading,
    async (options) => (await import('./masterdata-export.ts')).prepareCommand(world, options),
  )
    .option('--output <file>', 'the package to write')
    .option('--dry-run', 'say what the package would be and write none');
}

function addTools(program: Command, world: World, add: Add): void {
  add(
    program,
    'validate',
    'run all checks on the database; changes nothing',
    [0, 1, 10, 12, 15],
    async (options) => (await import('./validate.ts')).validateCommand(world, options),
  );
  addBackup(program, world, add);
  add(
    program,
    'unlock',
    'show who holds the deploy lock, and free it',
    [0, 1, 10, 12, 13],
    async (options) => (await import('./unlock.ts')).unlockCommand(world, options),
  ).addOption(new Option('--yes', 'free it without asking'));
  add(
    program,
    'unfence',
    'let the accounts of the application in again',
    [0, 1, 10, 11, 12, 13],
    async (options) => (await import('./unlock.ts')).unfenceCommand(world, options),
  ).option('--yes', 'do not ask');
}
