import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { everything } from '../run/selection.ts';
import { up } from '../run/up.ts';
import { type CommonOptions, execute, type World } from './invoke.ts';

type Flags = CommonOptions & {
  readonly masterdata?: string;
  readonly adminUser?: string;
  readonly adminEmail?: string;
};

/**
 * `deploy init`: a fresh installation, and only that. The password comes from ADMIN_PASSWORD,
 * ADMIN_PASSWORD_FILE or a prompt that does not show it, never from the command line.
 */
export async function initCommand(world: World, flags: Flags): Promise<number> {
  const given: Record<string, string | undefined> = {
    ADMIN_USER: flags.adminUser,
    ADMIN_EMAIL: flags.adminEmail,
  };
  const env: Record<string, string | undefined> = { ...world.env };
  for (const [name, value] of Object.entries(given)) if (value !== undefined) env[name] = value;
  if (!env['ADMIN_PASSWORD'] && !env['ADMIN_PASSWORD_FILE'] && process.stdin.isTTY) {
    env['ADMIN_PASSWORD'] = await askPassword(world, env['ADMIN_USER'] ?? 'the administrator');
  }
  const options = { forward: false, only: 'install', select: everything } as const;
  const input = flags.masterdata;
  const folder = input === undefined ? {} : { masterdataInput: path.resolve(input) };
  return execute({ ...world, env, ...folder }, flags, (context) => up(context, options));
}

async function askPassword({ streams, stop }: World, user: string): Promise<string> {
  // What is typed is read, and not shown.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    streams.stderr.write(`Password for ${user}: `);
    return await lines.question('', { signal: stop });
  } finally {
    lines.close();
    streams.stderr.write('\n');
  }
}
