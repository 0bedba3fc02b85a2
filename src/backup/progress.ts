/** How far a backup or a restore is; `done` and `of` count what `what` names, e.g. tables or bytes. */
export type Progress = {
  readonly phase: 'verify' | 'dump' | 'hash' | 'load' | 'keys' | 'compare';
  readonly done: number;
  /** 0 when the end is not known. */
  readonly of: number;
  readonly what: string;
};

export type OnProgress = (progress: Progress) => void;
