/** The state of the database as Prometheus metrics. Every label has few values, known beforehand. */
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { type About, durationSeconds } from './bodies.ts';
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
  collectDefaultMetrics({ register: registry });
  const setters = [
    makeStateMetrics(registry, about, prefix),
    makeRunMetrics(registry),
    makeRecordMetrics(registry),
  ];
  return {
    contentType: registry.contentType,
    render(sample) {
      for (const set of setters) set(sample);
      return registry.metrics();
    },
  };
}

type SetMetrics = (sample: Sample<Health>) => void;

/** A gauge without labels that nobody has set says 0: one with unknown value says nothing instead. */
function makeGauges(registry: Registry) {
  const registers = [registry];
  return {
    labelled: <L extends string>(name: string, help: string, label: L) =>
      new Gauge({ name, help, labelNames: [label], registers }),
    plain(name: string, help: string): (value: number | null) => void {
      const gauge = new Gauge({ name, help, registers });
      return (value) => {
        if (value === null) gauge.remove();
        else gauge.set(value);
      };
    },
  };
}

function makeStateMetrics(registry: Registry, about: About, prefix: string): SetMetrics {
  const { plain, labelled } = makeGauges(registry);
  const backend = labelled(
    `${prefix}_backend_version`,
    'Version of the backend, as label',
    'version',
  );
  const database = labelled(`${prefix}_db_version`, 'Version of the database, as label', 'version');
  const pending = plain(
    `${prefix}_migrations_pending`,
    'Migrations that wait to be applied; NaN when that is not known',
  );
  const compatible = plain(
    `${prefix}_compatibility_status`,
    '1 when the backend can work on the database, else 0',
  );
  const failed = plain(
    'deploy_failed_migrations',
    'Migrations that failed, are not critical, and will be tried again',
  );
  const age = plain('health_sample_age_seconds', 'Age of the look at the database');
  return ({ value, ageMs }) => {
    const isKnown = value.actualVersion !== null || value.state === 'empty';
    backend.reset();
    backend.set({ version: about.config.backendVersion ?? 'unknown' }, 1);
    database.reset();
    database.set({ version: value.actualVersion ?? 'unknown' }, 1);
    pending(isKnown ? value.pending.length : Number.NaN);
    compatible(value.ready ? 1 : 0);
    failed(value.failed.length);
    age(ageMs / 1000);
  };
}

function makeRunMetrics(registry: Registry): SetMetrics {
  const { plain, labelled } = makeGauges(registry);
  const running = plain('deploy_running', '1 while a deploy is under way');
  const outcome = labelled(
    'deploy_last_outcome',
    '1 for how the last deploy ended, 0 for the other ways',
    'outcome',
  );
  const duration = plain('deploy_last_duration_seconds', 'How long the last deploy took');
  const step = labelled(
    'deploy_step_duration_seconds',
    'How long each step of the last deploy took',
    'step',
  );
  const success = plain(
    'deploy_last_success_timestamp_seconds',
    'When a deploy last ended well, in Unix time',
  );
  return ({ value: { state, lastRun, records } }) => {
    running(state === 'deploying' ? 1 : 0);
    outcome.reset();
    // The run that was cut off is the last one: those that end worst leave their run open.
    const isCutOff = state === 'cut_off';
    const last = isCutOff ? 'interrupted' : (lastRun?.outcome ?? null);
    for (const name of lastRun === null && !isCutOff ? [] : outcomes) {
      outcome.set({ outcome: name }, last === name ? 1 : 0);
    }
    duration(lastRun === null ? null : durationSeconds(lastRun));
    step.reset();
    for (const one of records?.steps ?? []) step.set({ step: one.step }, one.durationMs / 1000);
    success(unixSeconds(records?.lastSuccessAt));
  };
}

function makeRecordMetrics(registry: Registry): SetMetrics {
  const { plain, labelled } = makeGauges(registry);
  const proven = plain(
    'backup_last_proven_timestamp_seconds',
    'When the last backup was restored elsewhere and compared, in Unix time',
  );
  const backupSize = plain('backup_last_size_bytes', 'Size of the files of that backup');
  const size = plain('database_size_bytes', 'Data and indexes when the last deploy ended');
  const entity = labelled(
    'masterdata_records',
    'Records of each entity of the master data at its last sync',
    'entity',
  );
  return ({ value: { records } }) => {
    proven(unixSeconds(records?.backup?.provenAt));
    backupSize(records?.backup?.sizeBytes ?? null);
    size(records?.databaseSizeBytes ?? null);
    entity.reset();
    for (const one of records?.masterdata ?? []) entity.set({ entity: one.entity }, one.records);
  };
}

function unixSeconds(iso: string | null | undefined): number | null {
  return iso === null || iso === undefined ? null : Date.parse(iso) / 1000;
}
