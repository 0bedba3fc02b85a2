import { isUtf8 } from 'node:buffer';
import { DeployError } from '../errors/deploy-error.ts';

const NEWLINE = 0x0a;

/**
 * The text of a script file. A byte order mark stays: it belongs to the file, the splitter skips it.
 *
 * @throws DeployError `MIGRATION_FILE_INVALID` with `path:line` when the bytes are not UTF-8 or hold a NUL.
 */
export function decodeScript(bytes: Uint8Array, path: string): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isUtf8(buffer)) {
    throw new DeployError('MIGRATION_FILE_INVALID', 'the file is not UTF-8', {
      where: `${path}:${findBadLine(buffer)}`,
    });
  }
  const nul = buffer.indexOf(0);
  if (nul !== -1) {
    throw new DeployError('MIGRATION_FILE_INVALID', 'the file holds a NUL byte', {
      where: `${path}:${countLines(buffer.subarray(0, nul))}`,
    });
  }
  return buffer.toString('utf8');
}

/** Lines can be checked one by one: no byte of a longer UTF-8 sequence equals a newline. */
function findBadLine(buffer: Buffer): number {
  for (let line = 1, start = 0; ; line++) {
    const end = buffer.indexOf(NEWLINE, start);
    if (end === -1 || !isUtf8(buffer.subarray(start, end))) return line;
    start = end + 1;
  }
}

function countLines(buffer: Buffer): number {
  let lines = 1;
  for (const byte of buffer) if (byte === NEWLINE) lines++;
  return lines;
}
