/**
 * One parser per kind of value. A parser throws an Error whose message continues "NAME …", e.g.
 * "must be a whole number from 1 to 65535". It never repeats the value: the caller decides that.
 */

/** Any text that is not only spaces, without the spaces around it. */
export function text(value: string): string {
  return value.trim();
}

/** The value exactly as it is: passwords may begin or end with a space. */
export function exactText(value: string): string {
  return value;
}

/** A parser for a whole number from `least` to `most`. */
export function wholeNumber(least: number, most: number): (value: string) => number {
  return (value) => {
    const number = Number(value.trim());
    if (!/^\d+$/.test(value.trim()) || number < least || number > most) {
      throw new Error(`must be a whole number from ${least} to ${most}`);
    }
    return number;
  };
}

/**
 * A parser for seconds, whole or decimal, that gives milliseconds.
 *
 * The upper bound is a million seconds: above 2^31 milliseconds Node's timers fire at once.
 */
export function seconds(value: string): number {
  const number = Number(value.trim());
  if (!/^\d+(\.\d+)?$/.test(value.trim()) || number > 1_000_000) {
    throw new Error('must be a number of seconds from 0 to 1000000');
  }
  return Math.round(number * 1000);
}

/** A parser for a number above 0, whole or decimal. */
export function positiveNumber(value: string): number {
  const number = Number(value.trim());
  if (!/^\d+(\.\d+)?$/.test(value.trim()) || number <= 0) {
    throw new Error('must be a number above 0');
  }
  return number;
}

/** A parser for exactly one of the words in `choices`, which it carries for the help. */
export function oneOf<const T extends string>(
  ...choices: readonly T[]
): ((value: string) => T) & { readonly choices: readonly T[] } {
  const parse = (value: string): T => {
    const found = choices.find((choice) => choice === value.trim());
    if (found === undefined) throw new Error(`must be one of ${choices.join(', ')}`);
    return found;
  };
  return Object.assign(parse, { choices });
}

/** A parser for yes or no: true, yes, on, 1 and their opposites. */
export function yesOrNo(value: string): boolean {
  const word = value.trim().toLowerCase();
  if (['true', 'yes', 'on', '1'].includes(word)) return true;
  if (['false', 'no', 'off', '0'].includes(word)) return false;
  throw new Error('must be true or false');
}

/** A parser for a version of three numbers, such as 0.5.0. */
export function versionNumber(value: string): string {
  if (!/^\d+\.\d+\.\d+$/.test(value.trim())) {
    throw new Error('must be a version of three numbers, such as 0.5.0');
  }
  return value.trim();
}

/** A parser for the address of a web page, without a user or a password in it. */
export function webAddress(value: string): string {
  const url = URL.canParse(value.trim()) ? new URL(value.trim()) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new Error('must be an address that begins with http:// or https://');
  }
  if (url.username !== '' || url.password !== '') {
    throw new Error('must not contain a user or a password');
  }
  return value.trim().replace(/\/+$/, '');
}

/** A parser for account names without host, separated by commas. */
export function accountNames(value: string): readonly string[] {
  const names = value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.some((name) => /[@'"`]/.test(name))) {
    throw new Error('must be account names without host and quotes, separated by commas');
  }
  return names;
}

/** A parser for the prefix of metric names, as Prometheus allows them. */
export function metricPrefix(value: string): string {
  if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(value.trim())) {
    throw new Error('must begin with a letter and hold only letters, digits and underscores');
  }
  return value.trim();
}
