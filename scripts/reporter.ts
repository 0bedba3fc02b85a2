/**
 * The reporter of `npm test`: Node's own `spec`, without the table of covered lines, so that a run
 * with and without coverage ends in the same summary. `scripts/coverage.ts` reads the coverage.
 */

import type { Transform } from 'node:stream';
import { spec, type TestEvent } from 'node:test/reporters';

// Node takes a reporter from the default export of its file.
export default async function* report(events: AsyncIterable<TestEvent>): AsyncIterable<unknown> {
  const reporter = new spec();
  const fed = feed(reporter, events);
  yield* reporter;
  await fed;
}

async function feed(reporter: Transform, events: AsyncIterable<TestEvent>): Promise<void> {
  for await (const event of events) {
    if (event.type !== 'test:coverage') reporter.write(event);
  }
  reporter.end();
}
