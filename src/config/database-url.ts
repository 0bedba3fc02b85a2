/**
 * Reads the two forms of DATABASE_URL. Pure. No message contains a part of the value, because a
 * value that is not well formed may have the password in any place.
 */

/** What a DATABASE_URL says; undefined where it says nothing. */
export type UrlParts = {
  readonly host?: string;
  readonly port?: number;
  readonly socketPath?: string;
  readonly user?: string;
  readonly password?: string;
  readonly name?: string;
};

const goForm = /^(?:(.*)@)?(?:(tcp6?|unix)(?:\((.*)\))?)?\/([^/?]*)(?:\?(.*))?$/s;
const urlForm = /^(?:mysql|mariadb):\/\/(.*)$/is;
const afterUser = /^(\[[^\]]+\]|[^:/?#@[\]]*)(?::(\d+))?(?:\/([^/?#]*))?\/?(?:\?([^#]*))?$/;
const tlsOff = ['false', 'preferred', 'skip', 'disable', 'disabled', '0', 'no', 'off'];

/**
 * Gives the parts of a `mysql://` or `mariadb://` URL, or of a Go data source name.
 *
 * Both are read from the right, because passwords contain `@`, `/`, `:` and `)`. In a URL the
 * parts are percent-encoded; in the Go form user and password stand as they are, as in
 * github.com/go-sql-driver/mysql, whose rule is: last slash, last at sign, first colon.
 *
 * @throws Error with a message that continues "DATABASE_URL …".
 */
export function parseDatabaseUrl(value: string): UrlParts {
  const rest = urlForm.exec(value.trim())?.[1];
  // A Go name for an account called mysql could look like a URL; its network tells them apart.
  if (rest !== undefined && !/@(tcp6?|unix)\(.*\)\/[^/?]*(\?.*)?$/s.test(value)) {
    return parseUrl(rest);
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(value.trim()) && rest === undefined) {
    throw new Error('must begin with mysql:// or mariadb://, or have the Go form');
  }
  return parseGoForm(value.trim());
}

function parseUrl(rest: string): UrlParts {
  // The last at sign that leaves a well-formed host behind it ends the password.
  for (let at = rest.lastIndexOf('@'); ; at = at > 0 ? rest.lastIndexOf('@', at - 1) : -1) {
    const found = afterUser.exec(rest.slice(at + 1));
    if (found !== null) {
      const [, host = '', port, name, query] = found;
      const account = at < 0 ? {} : splitAccount(rest.slice(0, at), decode);
      const parameters = new URLSearchParams(query ?? '');
      refuseTls(parameters);
      return {
        ...address(decode(host), port, parameters.get('socketPath') ?? parameters.get('socket')),
        ...account,
        ...(name ? { name: decode(name) } : {}),
      };
    }
    if (at < 0) throw new Error('is not a URL of the form mysql://user:password@host:port/name');
  }
}

function parseGoForm(value: string): UrlParts {
  const found = goForm.exec(value);
  if (found === null) {
    throw new Error(
      'is neither a URL such as mysql://user:password@host:3306/name nor the Go form user:password@tcp(host:3306)/name',
    );
  }
  const [, account, network, place, name, query] = found;
  refuseTls(new URLSearchParams(query ?? ''));
  const named = name ? { name: decode(name) } : {};
  const user = account === undefined ? {} : splitAccount(account, (text) => text);
  if (network === 'unix') {
    if (!place?.startsWith('/')) throw new Error('must name a socket: unix(/path/of/the.sock)');
    return { socketPath: place, ...user, ...named };
  }
  const [, host, port] = /^(\[[^\]]+\]|[^:]*)(?::(\d+))?$/.exec(place || '127.0.0.1') ?? [];
  if (host === undefined) throw new Error('must name host and port as tcp(host:3306)');
  return { ...address(host, port, null), ...user, ...named };
}

function address(host: string, port: string | undefined, socketPath: string | null): UrlParts {
  if (socketPath) return { socketPath };
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65535)) {
    throw new Error('must have a port from 1 to 65535');
  }
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  return {
    ...(bare === '' ? {} : { host: bare }),
    ...(port === undefined ? {} : { port: Number(port) }),
  };
}

function splitAccount(account: string, read: (text: string) => string): UrlParts {
  const colon = account.indexOf(':');
  if (colon < 0) return account === '' ? {} : { user: read(account) };
  return { user: read(account.slice(0, colon)), password: read(account.slice(colon + 1)) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error('has a % that is not followed by two hexadecimal digits: write % as %25');
  }
}

/** Going on without encryption where somebody asked for it would be a silent downgrade. */
function refuseTls(parameters: URLSearchParams): void {
  for (const [key, value] of parameters) {
    const asked = /^(tls|ssl|ssl-?mode|use-?ssl)$/i.test(key);
    if (asked && !tlsOff.includes(value.toLowerCase())) {
      throw new Error(`asks for encryption (${key}), which this program cannot do`);
    }
  }
}
