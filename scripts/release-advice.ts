/** Pure: what `npm run release` says after a failure. */

/** How far a release came. The old backend is not touched before `start`. */
export type Situation = {
  /** Tag of the backend that ran before; null when there was none. */
  oldRelease: string | null;
  newRelease: string;
  /** Version of the database before; null when it had none. */
  oldVersion: string | null;
  step: 'build' | 'plan' | 'deploy' | 'start';
};

/** Gives the lines: what serves now, where the database is, and the command for the way back. */
export function whatNow(situation: Situation, exitCode: number): readonly string[] {
  const { oldRelease, newRelease, oldVersion, step } = situation;
  const serves = oldRelease === null ? 'no backend runs' : `${oldRelease} serves on`;
  const back = `RELEASE=${oldRelease} docker compose up --detach --wait`;
  const orBack = (command: string) =>
    oldRelease === null ? [] : [`or bring the old release back: ${command}`];

  if (step === 'start') {
    const rollback = `docker compose run --rm deploy rollback --to-version ${oldVersion}`;
    return [
      `the database is at the version of ${newRelease}, and its backend does not serve`,
      'next: docker compose logs backend health',
      ...orBack(oldVersion === null ? back : `${rollback} && ${back}`),
    ];
  }
  if (step === 'deploy' && exitCode > 20) {
    return [
      'the database is not as before, and the old backend may be kept out: the text above says more',
      'next: docker compose run --rm deploy status, and docs/runbook.md',
    ];
  }
  const state = step === 'deploy' && exitCode === 20 ? 'as before, compared' : 'as it was';
  return [
    `${serves}; the database is ${state}`,
    'next: correct what is said above, then: npm run release',
    ...orBack(`${back} (and RELEASE=${oldRelease} in .env)`),
  ];
}
