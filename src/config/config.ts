/** The settings of one process: complete, checked and frozen before anything else starts. */
export type Config = {
  readonly database: ServerAddress & { readonly name: string };
  readonly backendVersion: string | null;
  readonly backendCommit: string | null;
  readonly backendBuildDate: string | null;
  /** Exact version to reach, or null for the highest folder in `migrationsDir`. */
  readonly requiredVersion: string | null;
  readonly updatePath: 'next' | 'stepwise';
  readonly onFailure: 'restore' | 'stop';
  readonly backup: 'before-change' | 'always';
  readonly backupDir: string;
  readonly backupRetentionDays: number;
  readonly backupKeepLast: number;
  readonly scratchDir: string;
  readonly masterdata: 'changed' | 'always' | 'off';
  readonly safetyNet: 'additive' | 'report' | 'off';
  readonly validate: 'errors' | 'strict' | 'off';
  readonly fence: 'require' | 'warn' | 'off';
  /** Account names without host, as in FENCE_USERS=app,worker. */
  readonly fenceUsers: readonly string[];
  readonly dbWaitMs: number;
  readonly lockWaitMs: number;
  readonly stopGraceMs: number;
  readonly migrationsDir: string;
  readonly masterdataDir: string | null;
  readonly package: string | null;
  readonly reportDir: string;
  readonly admin: {
    readonly user: string | null;
    readonly email: string | null;
    readonly password: string | null;
  };
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly logFormat: 'auto' | 'text' | 'json';
  readonly health: {
    readonly host: string;
    readonly port: number;
    readonly cacheMs: number;
    readonly baseUrl: string | null;
    readonly trustProxy: boolean;
    readonly rateLimitPerSecond: number;
    readonly metricsPrefix: string;
  };
  /** Every secret value that was read: nothing printed may contain one of them. */
  readonly secrets: readonly string[];
  /** Problems that do not stop the program, e.g. a misspelt variable. */
  readonly warnings: readonly string[];
};

/** Where a server is and who connects. A Unix socket wins over host and port. */
export type ServerAddress = {
  readonly host: string;
  readonly port: number;
  readonly socketPath: string | null;
  readonly user: string;
  readonly password: string;
};
