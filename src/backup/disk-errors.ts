import { statfs } from 'node:fs/promises';
import { DeployError } from '../errors/deploy-error.ts';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'is not writable for this user',
  EPERM: 'is not writable for this user',
  EROFS: 'is on a read-only file system',
  ENOENT: 'does not exist and cannot be created',
  ENOTDIR: 'is not a folder',
  EEXIST: 'is not a folder',
};

/**
 * The failure that an error of the file system stands for: `SPACE_SHORT` with the numbers when the
 * disk is full, `BACKUP_FAILED` with path and user otherwise. Another failure comes back as it is.
 */
export async function explainDiskError(error: unknown, dir: string): Promise<unknown> {
  if (error instanceof DeployError) return error;
  const code = diskCode(error);
  if (code === null) return error;
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') return spaceShort(dir, error);
  // The effective user is the one whose rights the kernel looked at.
  const uid = process.geteuid?.() ?? -1;
  const reason = REASONS[code] ?? `cannot be used (${code})`;
  return new DeployError('BACKUP_FAILED', `the backup folder ${dir} ${reason} (uid ${uid})`, {
    where: dir,
    cause: error,
    facts: { uid, code },
    next: [`let uid ${uid} write to ${dir}, or set BACKUP_DIR to a folder that it may write to`],
  });
}

/** Free bytes for this user on the file system of `dir`; null when that cannot be told. */
export async function readFreeBytes(dir: string): Promise<number | null> {
  try {
    const stats = await statfs(dir);
    return stats.bavail * stats.bsize;
  } catch {
    return null;
  }
}

async function spaceShort(dir: string, cause: unknown): Promise<DeployError> {
  const freeBytes = await readFreeBytes(dir);
  const free = freeBytes === null ? '' : `: ${freeBytes} bytes are free after removing the set`;
  return new DeployError('SPACE_SHORT', `the disk of the backup folder is full${free}`, {
    where: dir,
    cause,
    facts: { dir, freeBytes },
  });
}

function diskCode(error: unknown): string | null {
  let current = error;
  for (let depth = 0; depth < 8 && current instanceof Error; depth++) {
    const { code, syscall } = current as NodeJS.ErrnoException;
    if (typeof code === 'string' && /^E[A-Z]+$/.test(code) && isFileCall(syscall)) return code;
    current = current.cause;
  }
  return null;
}

/** Sockets and child processes have the same error codes; they are not the backup folder's. */
function isFileCall(syscall: string | undefined): boolean {
  return syscall !== undefined && !/^(spawn|connect|getaddrinfo)/.test(syscall);
}
