import { readFileSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { hasFileForm, variable, variableNames } from './variables.ts';

/** The environment of a process, as Node gives it. */
export type Env = Readonly<Record<string, string | undefined>>;

/** The environment after NAME_FILE variables were followed. */
export type ReadEnv = {
  /** Only variables of the table that are set, by NAME, whichever way. */
  readonly values: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
};

/**
 * Gives the set variables of the table, and reads those whose NAME_FILE names a file.
 *
 * An empty value counts as "not set", because `docker compose` hands on `NAME: ${NAME:-}` as an
 * empty text; a password may be empty. One newline at the end of a file is cut off, because
 * editors and `echo` write one. NAME and NAME_FILE together are a problem, as in the images of
 * MariaDB: which one counts would be a guess.
 */
export function readEnv(env: Env, cwd: string): ReadEnv {
  const values: Record<string, string> = {};
  const problems: string[] = [];
  for (const name of variableNames) {
    const mayBeEmpty = variable(name).mayBeEmpty === true;
    const direct = env[name];
    const path = hasFileForm(name) ? env[`${name}_FILE`] : undefined;

    if (direct !== undefined && (mayBeEmpty || direct.trim() !== '')) values[name] = direct;
    if (path === undefined || path.trim() === '') continue;
    if (direct !== undefined && direct !== '') {
      problems.push(`${name} and ${name}_FILE are both set: keep one of them`);
      continue;
    }
    try {
      const content = readFileSync(isAbsolute(path) ? path : resolve(cwd, path), 'utf8');
      const value = content.replace(/\r?\n$/, '');
      if (value.trim() !== '' || mayBeEmpty) values[name] = value;
      else problems.push(`${name}_FILE names ${path}, and that file is empty`);
    } catch (error) {
      problems.push(`${name}_FILE names ${path}, which cannot be read (${reason(error)})`);
    }
  }
  return { values, problems };
}

function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'permission denied';
  if (code === 'EISDIR') return 'it is a folder';
  return code ?? 'unknown reason';
}
