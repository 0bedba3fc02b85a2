/** The state of the database as Prometheus metrics. Every label has few values, known beforehand. */
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { About } from './bodies.ts';
import type { Health } from './decide-health.ts';
import type { Sample } from './sampler.ts';

export type Metrics = {
  readonly contentType: string;
  /** Gives the text of `/metrics` for a sample. */
  render(sample: Sample<Health>): Promise<string>;
};

const outcomes = ['done', 'failed', 'put_back', 'left', 'abandoned', 'interrupted'] as const;

/** Gives the metrics of one sidecar, with names that begin with `prefix` where they are the application's. */
export function makeMetrics(about: About, prefix: string): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge({ name, help, labelNames, registers });

  const backend = gauge(`${prefix}_backend_version`, 'Version of the backend, as label', [
    'version',
  ]);
  const database = gauge(`${prefix}_db_version`, 'Version of the database, as label', ['version']);
  const pending = gauge(
    `${prefix}_migrations_pending`,
    'Migrations that wait to be applied; NaN when that is not known',
  );
  const compatible = gauge(
    `${prefix}_compatibility_status`,
    '1 when the backend can work on the database, else 0',
  );
  const running = gauge('deploy_running', '1 while a deploy is under way');
  const outcome = gauge('deploy_last_outcome', '1 for how the last deploy ended', ['outcome']);
  const failed = gauge(
    'deploy_failed_migrations',
    'Migrations that failed, are not critical, and will be tried again',
  );
  const age = gauge('health_sample_age_seconds', 'Age of the look at the database');

  return {
    contentType: registry.contentType,
    async render({ value, ageMs }) {
      const isKnown = value.actualVersion !== null || value.state === 'empty';
      backend.reset();
      backend.set({ version: about.config.backendVersion ?? 'unknown' }, 1);
      database.reset();
      database.set({ version: value.actualVersion ?? 'unknown' }, 1);
      pending.set(isKnown ? value.pending.length : Number.NaN);
      compatible.set(value.ready ? 1 : 0);
      running.set(value.state === 'deploying' ? 1 : 0);
      outcome.reset();
      for (const name of value.lastRun === null ? [] : outcomes) {
        outcome.set({ outcome: name }, value.lastRun?.outcome === name ? 1 : 0);
      }
      failed.set(value.failed.length);
      age.set(ageMs / 1000);
      return registry.metrics();
    },
  };
}
