/** Where the master data of a run comes from: light, as every start asks whether it has changed. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../config/config.ts';
import { DeployError } from '../errors/deploy-error.ts';
import { digestFiles } from '../masterdata/files-digest.ts';
import type { Conversion } from '../masterdata/former.ts';
import type { ReadSet } from '../masterdata/read.ts';
import type { MigrationFolder } from '../migrations/files.ts';

/** The master data of this image or of a deployment package. */
export type Masterdata = {
  readonly set: ReadSet;
  /** How it became format 2.0; null when it was. */
  readonly conversion: Conversion | null;
  /** What a fresh installation does besides, or null. */
  readonly installFile: string | null;
  /** Digest of the files, byte by byte; null when they came in a package. */
  readonly files: string | null;
};

/** Reads the master data when it is first needed, once for a run. */
export type MasterdataSource = {
  /**
   * Null when there is none, or MASTERDATA=off.
   *
   * @throws DeployError `MASTERDATA_INVALID`, `BUNDLE_INVALID`; `CONFIG_INVALID` when rows come from outside and
   *   nothing declares them
   */
  get(): Promise<Masterdata | null>;
  /** Whether `get` would give null. */
  isNone(): boolean;
  /** Digest of the files as they are, without reading what they say; null when they are in a package. */
  filesDigest(): string | null;
  /** Removes what a package was unpacked into. */
  close(): Promise<void>;
};

/**
 * Makes the source; reads nothing yet. `input` is a folder of rows to use instead of the image's;
 * like those of a package, they are declared by the image.
 */
export function makeMasterdataSource(
  config: Config,
  folder: MigrationFolder,
  input: string | null,
): MasterdataSource {
  let read: Promise<Masterdata | null> | null = null;
  const cleanUp: (() => Promise<void>)[] = [];
  const isPackage = config.package !== null && input === null;
  const given = input ?? config.masterdataDir;
  const isNone = () =>
    config.masterdata === 'off' || (!isPackage && (given === null || !existsSync(given)));
  const filesDigest = (): string | null => {
    if (given === null || isPackage) return null;
    return digestFiles([config.masterdataDir ?? given, given]);
  };
  const open = async (): Promise<Masterdata | null> => {
    if (isNone()) return null;
    let dir = given;
    if (isPackage) {
      const { openPackage } = await import('../bundle/open-package.ts');
      const expectedVersion = config.requiredVersion ?? folder.versions.at(-1) ?? '';
      const opened = await openPackage(config.package, {
        expectedVersion,
        tmpDir: config.scratchDir,
      });
      cleanUp.push(opened.remove);
      // A package has the rows; what they mean is declared in the image.
      dir = opened.dir;
    }
    if (dir === null || !existsSync(dir)) return null;
    const { readEntities } = await import('../masterdata/entities.ts');
    const { readMasterdata } = await import('../masterdata/read.ts');
    const { loadFormats } = await import('../masterdata/former.ts');
    const { openMasterdata } = await import('../masterdata/open.ts');
    // Before they are read: what changes meanwhile must not be taken for what was synced.
    const files = filesDigest();
    const declared = config.masterdataDir;
    // What comes from outside has rows. Its entities.json and the code beside it are not taken.
    if (declared === null) {
      const message = 'there is no folder with an entities.json: set MASTERDATA_DIR';
      throw new DeployError('CONFIG_INVALID', message);
    }
    const entities = await readEntities(declared);
    const formats = await loadFormats(declared);
    const opened = await openMasterdata(dir, { entities, formats, tmpDir: config.scratchDir });
    cleanUp.push(opened.remove);
    const installFile = path.join(declared, 'install.ts');
    return {
      conversion: opened.conversion,
      set: await readMasterdata(opened.dir, entities),
      installFile: existsSync(installFile) ? installFile : null,
      files,
    };
  };
  return {
    get() {
      read ??= open();
      return read;
    },
    isNone,
    filesDigest,
    async close() {
      for (const remove of cleanUp) await remove();
    },
  };
}

/** `the master data was converted from format 1.4 (1.4 → 1.5, 1.5 → 2.0)`, and what that decided. Pure. */
export function conversionText({ from, steps, notes }: Conversion): string {
  const head = `the master data was converted from format ${from} (${steps.join(', ')})`;
  return [head, ...notes.map((note) => `  ${note}`)].join('\n');
}
