/** Parsed JSON of which a test looks at some fields; a wrong field fails the test. */
// biome-ignore lint/suspicious/noExplicitAny: the assertions check what is there
export type Json = Record<string, any>;
