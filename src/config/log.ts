import type { Logger } from 'pino';

/** What the program writes while it works: pino's logger. Results go to stdout, never here. */
export type Log = Pick<Logger, 'trace' | 'debug' | 'info' | 'warn' | 'error'>;
