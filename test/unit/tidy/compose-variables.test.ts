/** What can be set is handed on by both compose files, to whom it concerns, and stands in .env.example. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  hasFileForm,
  type VariableName,
  variable,
  variableNames,
} from '../../../src/config/variables.ts';
import { root } from './sources.ts';

const read = (name: string) => readFileSync(join(root, name), 'utf8');

/** Said by the compose files themselves, because of their services, volumes, secrets and ports. */
const fixed = new Set<VariableName>([
  ...(['DATABASE_URL', 'DB_HOST', 'DB_PORT', 'DB_NAME', 'DB_USER', 'DB_PASSWORD'] as const),
  ...(['BACKUP_DIR', 'SCRATCH_DIR', 'REPORT_DIR', 'MIGRATIONS_DIR', 'MASTERDATA_DIR'] as const),
  ...(['ADMIN_PASSWORD', 'HEALTH_HOST', 'HEALTH_PORT'] as const),
  // RELEASE.
  'BACKEND_VERSION',
]);
/** Of deploy's groups, what the sidecar reads as well. */
const shared: readonly VariableName[] = [
  'REQUIRED_DB_VERSION',
  'BACKEND_COMMIT',
  'BACKEND_BUILD_DATE',
];
/** Where the stack has another default than the program. */
const ownDefaults: Readonly<Record<string, string>> = {
  FENCE_USERS: 'backend',
  ADMIN_USER: 'admin',
  ADMIN_EMAIL: 'admin@example.org',
  PACKAGE: '/packages/deployment_package_0.5.0.tar.gz',
};

function servicesOf(name: VariableName): readonly ('deploy' | 'health')[] {
  const { group } = variable(name);
  if (group === 'sidecar') return ['health'];
  return group === 'log' || shared.includes(name) ? ['deploy', 'health'] : ['deploy'];
}

/** The names that a service's environment has in the text of a compose file, those of `x-database` too. */
function namesOf(compose: string, service: string): ReadonlySet<string> {
  const [, block = ''] =
    new RegExp(`^  ${service}:\\n((?:(?:    .*)?\\n)+)`, 'm').exec(compose) ?? [];
  const [, common = ''] = /^x-database:.*\n((?: {2}.*\n)+)/m.exec(compose) ?? [];
  assert(block.includes('<<: *database'), `${service} has the common part`);
  return new Set([...(common + block).matchAll(/^ +([A-Z_]+):/gm)].map(([, name = '']) => name));
}

for (const file of ['docker-compose.yml', 'docker-compose.bamort.yml']) {
  describe(file, () => {
    const compose = read(file);
    for (const service of ['deploy', 'health'] as const) {
      test(`hands on to ${service} all that can be set, and says the rest itself`, () => {
        const names = namesOf(compose, service);
        const wanted = variableNames.filter(
          (name) => !fixed.has(name) && servicesOf(name).includes(service),
        );

        assert.deepEqual(
          wanted.filter((name) => !names.has(name)),
          [],
        );
      });

      test(`hands on to ${service} nothing that this program does not know`, () => {
        const known = new Set<string>(
          variableNames.flatMap((name) => (hasFileForm(name) ? [name, `${name}_FILE`] : [name])),
        );

        assert.deepEqual(
          [...namesOf(compose, service)].filter((name) => !known.has(name)),
          [],
        );
      });
    }
  });
}

describe('.env.example', () => {
  const lines = read('.env.example').split('\n');

  test('shows every variable that can be set, with its default', () => {
    const missing = variableNames
      .filter((name) => !fixed.has(name))
      .map((name) => `# ${name}=${ownDefaults[name] ?? variable(name).default ?? ''}`)
      .filter((line) => !lines.includes(line));

    assert.deepEqual(missing, []);
  });
});
