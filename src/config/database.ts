import { isIPv6 } from 'node:net';
import type { Config } from './config.ts';
import { parseDatabaseUrl, type UrlParts } from './database-url.ts';
import type { VariableValues } from './variables.ts';

/** The address that DATABASE_URL and the DB_ variables name together, or why they name none. */
export type DatabaseSettings = {
  readonly address: Config['database'];
  readonly problems: readonly string[];
  /** Secrets inside of DATABASE_URL: the password, as written and decoded. */
  readonly secrets: readonly string[];
};

/**
 * Joins DATABASE_URL and the DB_ variables. Pure.
 *
 * Both may be set if they agree or complete each other; a contradiction is a problem, because
 * migrating the wrong database is worse than not starting. `optional`: missing settings are none.
 */
export function readDatabase(
  values: VariableValues,
  need: 'required' | 'optional',
): DatabaseSettings {
  const problems: string[] = [];
  let url: UrlParts = {};
  if (values.DATABASE_URL !== undefined) {
    try {
      url = parseDatabaseUrl(values.DATABASE_URL);
    } catch (error) {
      // Our own parser's message: it never repeats the value.
      problems.push(`DATABASE_URL ${(error as Error).message}`);
    }
  }
  const urlIsBroken = problems.length > 0;
  const single = singleParts(values, problems);
  problems.push(...contradictions(url, single));
  if (need === 'required' && !urlIsBroken) problems.push(...missing(url, single, values));

  const parts = { ...single, ...url };
  return {
    address: {
      host: parts.socketPath === undefined ? (parts.host ?? '') : 'localhost',
      port: parts.port ?? 3306,
      socketPath: parts.socketPath ?? null,
      user: parts.user ?? '',
      password: parts.password ?? '',
      name: parts.name ?? '',
    },
    problems,
    secrets: secretsOf(url, values.DATABASE_URL),
  };
}

/** The DB_ variables in the form of a DATABASE_URL's parts. */
function singleParts(values: VariableValues, problems: string[]): UrlParts {
  const host = values.DB_HOST;
  const isSocket = host?.startsWith('/') === true;
  if (host !== undefined && !isSocket && /[@/:\s]/.test(host) && !isIPv6(bare(host))) {
    problems.push('DB_HOST must be a host name alone (the port belongs into DB_PORT)');
  }
  return {
    ...(host === undefined ? {} : isSocket ? { socketPath: host } : { host: bare(host) }),
    ...(values.DB_PORT === undefined ? {} : { port: values.DB_PORT }),
    ...(values.DB_NAME === undefined ? {} : { name: values.DB_NAME }),
    ...(values.DB_USER === undefined ? {} : { user: values.DB_USER }),
    ...(values.DB_PASSWORD === undefined ? {} : { password: values.DB_PASSWORD }),
  };
}

/** An IPv6 address without its brackets. */
function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}

const namesOf = {
  host: 'DB_HOST',
  port: 'DB_PORT',
  socketPath: 'DB_HOST',
  name: 'DB_NAME',
  user: 'DB_USER',
  password: 'DB_PASSWORD',
} as const;

function contradictions(url: UrlParts, single: UrlParts): string[] {
  const parts = Object.keys(namesOf) as (keyof typeof namesOf)[];
  const differing = parts.filter((part) => {
    return url[part] !== undefined && single[part] !== undefined && url[part] !== single[part];
  });
  const mixed =
    (url.host !== undefined && single.socketPath !== undefined) ||
    (url.socketPath !== undefined && single.host !== undefined);
  const names = new Set(differing.map((part) => namesOf[part]));
  if (mixed) names.add('DB_HOST');
  return [...names].map((name) => `${name} and DATABASE_URL contradict each other: keep one`);
}

function missing(url: UrlParts, single: UrlParts, values: VariableValues): string[] {
  const has = (part: keyof UrlParts) => url[part] !== undefined || single[part] !== undefined;
  const problems: string[] = [];
  const viaUrl = values.DATABASE_URL !== undefined;
  const lacks = (what: string, name: string) =>
    problems.push(
      viaUrl ? `DATABASE_URL names no ${what}, and ${name} is not set` : `${name} is not set`,
    );

  if (!has('host') && !has('socketPath')) lacks('host', 'DB_HOST');
  if (!has('name')) lacks('database', 'DB_NAME');
  if (!has('user')) lacks('user', 'DB_USER');
  // An account that is checked by the socket has no password; a URL without one says "none".
  if (!has('password') && !has('socketPath') && !viaUrl) {
    problems.push('DB_PASSWORD is not set (set it to an empty value if the account has none)');
  }
  return problems;
}

function secretsOf(url: UrlParts, text: string | undefined): string[] {
  if (!url.password) return [];
  const encoded = text?.match(/:\/\/[^:@]*:(.*)@/s)?.[1];
  return encoded ? [url.password, encoded] : [url.password];
}
