import { compareVersions, parseVersion } from '../history/versions.ts';
import { type Check, type CheckInput, type Finding, makeFinding } from './finding.ts';

const name = 'history';

/** A migration that is not critical may have failed: its version counts as reached all the same. */
export const historyCheck: Check = {
  name,
  asks: 'Is every migration up to the required version applied, and no other?',
  run(input) {
    return [...notApplied(input), ...withoutFile(input)];
  },
};

function notApplied({ folder, history, requiredVersion }: CheckInput): Finding[] {
  const applied = new Set(history.applied.map(({ number }) => number));
  const failed = new Set(history.failed.map(({ number }) => number));
  return folder.migrations
    .filter(({ version }) => compareVersions(version, requiredVersion) <= 0)
    .filter(({ number }) => !applied.has(number))
    .map((migration) => {
      const { number, version } = migration;
      const title = `migration ${number} ${migration.name} of ${version}`;
      const about = `migration ${number}`;
      if (!migration.critical && failed.has(number))
        return makeFinding(name, 'warning', {
          about: `${about} failed`,
          message: `${title} failed and is not critical`,
          advice: 'correct the cause, then: deploy resolve --retry',
        });
      return makeFinding(name, 'error', {
        about,
        message: `${title} is not applied`,
        advice: 'deploy up applies it',
      });
    });
}

function withoutFile({ folder, history, requiredVersion }: CheckInput): Finding[] {
  const files = new Set(folder.migrations.map(({ number }) => number));
  return history.applied.flatMap(({ number, version }) => {
    const isAbove = parseVersion(version) !== null && compareVersions(version, requiredVersion) > 0;
    if (isAbove)
      return makeFinding(name, 'warning', {
        about: `migration ${number} above`,
        message: `migration ${number} of ${version} is applied, and the required version is ${requiredVersion}`,
        advice: 'use the release of that version, or go back: deploy rollback',
      });
    if (files.has(number)) return [];
    return makeFinding(name, 'warning', {
      about: `migration ${number} without file`,
      message: `migration ${number} of ${version} is applied, and this image has no file of it`,
      advice: 'use an image that has the file',
    });
  });
}
