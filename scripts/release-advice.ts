/** Pure: what `npm run release` says after a failure. */

/** The backend that ran before the release. */
export type OldBackend = {
  /** Tag of its image, which is what RELEASE was; null when the image was started without one. */
  readonly release: string | null;
  /** The compose files that it was started with, as COMPOSE_FILE has them. */
  readonly composeFiles: string;
};

/** What `deploy status` says of the database. */
export type DatabaseState = {
  /** Null when it is empty, and when it was not adopted yet. */
  readonly version: string | null;
  readonly isEmpty: boolean;
  readonly isUnfinished: boolean;
};

/** How far a release came. The old backend is not touched before `start`. */
export type Situation = {
  readonly step: 'build' | 'plan' | 'question' | 'deploy' | 'start';
  readonly newRelease: string;
  /** Null when no backend ran. */
  readonly old: OldBackend | null;
  /** The database before; null until it was looked at. */
  readonly before: DatabaseState | null;
  /** The database now; null when nobody could look. */
  readonly now: DatabaseState | null;
  /** The backup set of the database as it was before; null when it is not known. */
  readonly setOfBefore: string | null;
};

/** Gives the lines: what serves now, where the database is, and the commands for the way back. */
export function whatNow(situation: Situation, exitCode: number): readonly string[] {
  const { step, newRelease, old, before, now } = situation;
  const serves = old === null ? 'no backend runs' : `${nameOf(old)} serves on`;
  if (step === 'question') {
    const ask =
      'next: nobody said yes; to go on, run the same command again and type yes, or add --yes';
    return [`${serves}; the database is as it was`, ask, ...orBack(situation, false)];
  }
  if (step === 'build' || step === 'plan' || before === null) {
    return [`${serves}; the database is as it was`, again, ...orBack(situation, false)];
  }
  if (now === null || now.isUnfinished) {
    const state = now === null ? 'could not be looked at' : 'is not as before';
    return [
      `the database ${state}, and the old backend may be kept out: the text above says more`,
      'next: docker compose run --rm deploy status, and docs/runbook.md',
    ];
  }
  const isMoved = now.version !== before.version || now.isEmpty !== before.isEmpty;
  if (step === 'start') {
    return [
      `the database is at ${now.version ?? 'no version'}, and the backend of ${newRelease} does not serve`,
      'next: docker compose logs backend health',
      ...orBack(situation, isMoved),
    ];
  }
  if (!isMoved) {
    const state = exitCode === 20 ? 'as before, compared' : 'as it was';
    return [`${serves}; the database is ${state}`, again, ...orBack(situation, false)];
  }
  return [
    `${serves}, on a database that has moved from ${before.version ?? 'no version'} to ${now.version}: it may not fit`,
    again,
    ...orBack(situation, true),
  ];
}

const again = 'next: correct what is said above, then run the same command again';

function nameOf({ release }: OldBackend): string {
  return release ?? 'the old backend';
}

function orBack(situation: Situation, isMoved: boolean): string[] {
  const { old } = situation;
  if (old === null) return [];
  const commands = [...(isMoved ? takeBack(situation) : []), startOld(old, situation.step)];
  const line = `or bring the old release back: ${commands.join(' && ')}`;
  return old.release === null ? [line] : [line, `and then set RELEASE=${old.release} in .env`];
}

/** The database as the old backend knows it. One that had no version has none to roll back to. */
function takeBack({ before, setOfBefore }: Situation): string[] {
  if (before === null || before.isEmpty) return [];
  const inDeploy = 'docker compose run --rm deploy';
  if (before.version !== null) return [`${inDeploy} rollback --to-version ${before.version}`];
  // `deploy backup list` shows them.
  return [`${inDeploy} restore --backup ${setOfBefore ?? 'SET'}`];
}

/**
 * Compose would build an image that is missing, from the sources of now, and give it the old tag. An
 * image without a tag belongs to other compose files, which know neither deploy nor its gate.
 */
function startOld({ release, composeFiles }: OldBackend, step: Situation['step']): string {
  if (release !== null) return `RELEASE=${release} docker compose up --detach --wait --no-build`;
  if (step !== 'start') return 'docker compose start backend';
  return `COMPOSE_FILE=${composeFiles} docker compose up --detach --no-build --no-deps backend`;
}

/** A line of `deploy backup list --json`, newest first. */
export type ListedSet = {
  readonly name: string;
  readonly reason: string | null;
  readonly proven_at: string | null;
};

/**
 * The set from which the release can be taken back: the first that the run took, or, where that run found
 * `newestBefore` still equal to the database, that one. Null when there is none.
 */
export function findSetOfBefore(
  sets: readonly ListedSet[],
  newestBefore: string | null,
): string | null {
  const proven = sets.filter(({ proven_at: at }) => at !== null);
  const at = proven.findIndex(({ name }) => name === newestBefore);
  const taken = at === -1 ? proven : proven.slice(0, at);
  const first = taken.at(-1);
  return first?.reason === 'adopt' ? first.name : newestBefore;
}
