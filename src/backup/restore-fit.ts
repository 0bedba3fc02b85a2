import { join } from 'node:path';
import type { Db } from '../database/connect.ts';
import { versionNumbers } from '../database/server.ts';
import { isNoSpace, isOutOfSpace } from '../database/server-errors.ts';
import { DeployError, isDeployError } from '../errors/deploy-error.ts';
import type { BackupSet } from './manifest.ts';
import { readPackedText } from './packed-file.ts';
import { isImported } from './reason.ts';

/** What a statement needs besides its own bytes. */
const PACKET_MARGIN_BYTES = 1024;

/** The max_allowed_packet that a server needs for it: whole MiB, as it takes multiples of 1024. Pure. */
export function neededPacketBytes(longestStatementBytes: number): number {
  return Math.ceil((longestStatementBytes + PACKET_MARGIN_BYTES) / 2 ** 20) * 2 ** 20;
}

/**
 * Whether this server can take what the set holds, as far as that can be known before it is loaded:
 * its version, the length of the set's statements and its collations. Reads only.
 *
 * @throws DeployError `RESTORE_FAILED` naming what the server lacks
 */
export async function assertServerFits(db: Db, set: BackupSet): Promise<void> {
  await assertVersion(db, set);
  await assertPacket(db, set);
  await assertCollations(db, set);
}

/**
 * Tables are tried in the staging, but views, routines, triggers and events are made after the swap,
 * when there is no way back: what an older server does not know must not be found out there. Of an
 * imported dump nobody knows the server: its set names the private one.
 */
async function assertVersion(db: Db, { manifest, name }: BackupSet): Promise<void> {
  const row = await db.one<{ version: string }>('SELECT VERSION() AS version');
  const [own, other] = [row?.version ?? '', manifest.server.version];
  if (isImported(manifest) || compareSeries(other, own) <= 0) return;
  const what = `${name} was taken of MariaDB ${other}, and this server is older: ${own}`;
  throw new DeployError('RESTORE_FAILED', what, {
    where: `server of ${manifest.database}`,
    facts: { server: own, set: other },
    next: [
      'restore it on a server of the same version or a newer one',
      'RESTORE.md in the set says how to load it by hand, as far as this server knows what it holds',
    ],
  });
}

/** Compares `10.11.19-MariaDB` with `11.8.6-MariaDB` by major and minor version, as numbers. Pure. */
function compareSeries(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = versionNumbers(a).split('.').map(Number);
  const [majorB = 0, minorB = 0] = versionNumbers(b).split('.').map(Number);
  return majorA - majorB || minorA - minorB;
}

async function assertPacket(db: Db, { manifest, name }: BackupSet): Promise<void> {
  const row = await db.one<{ bytes: string }>('SELECT @@max_allowed_packet AS bytes');
  const bytes = Number(row?.bytes);
  const needed = manifest.longestStatementBytes + PACKET_MARGIN_BYTES;
  if (bytes >= needed) return;
  const what = `max_allowed_packet of this server is ${bytes} bytes, and ${name} has rows for which it needs ${needed}`;
  throw new DeployError('RESTORE_FAILED', what, {
    where: `server of ${manifest.database}`,
    facts: { maxAllowedPacketBytes: bytes, neededBytes: needed },
    next: [`SET GLOBAL max_allowed_packet = ${neededPacketBytes(manifest.longestStatementBytes)};`],
  });
}

/**
 * A newer server has collations that an older one does not know. A comment that holds the word
 * COLLATE could name one that is none, so only words like collations count.
 */
async function assertCollations(db: Db, set: BackupSet): Promise<void> {
  const wanted = new Set([set.manifest.collation]);
  for (const { name, kind } of set.manifest.files) {
    if (kind !== 'structure') continue;
    const text = await readPackedText(join(set.dir, name));
    for (const [, collation] of text.matchAll(/\bCOLLATE[= ]([a-z0-9]+_\w+)/g)) {
      wanted.add(collation!);
    }
  }
  const rows = await db.query<{ name: string }>(
    'SELECT collation_name AS name FROM information_schema.collations',
  );
  // MariaDB: utf8mb4_uca1400_ai_ci is the collation uca1400_ai_ci of a character set.
  const bare = (name: string) => name.replace(/^[a-z0-9]+_(?=uca)/, '');
  const known = new Set(rows.flatMap(({ name }) => [name, bare(name)]));
  const unknown = [...wanted].filter((name) => !known.has(name) && !known.has(bare(name)));
  if (unknown.length === 0) return;
  const what = `this server does not know the collations of ${set.name}: ${unknown.join(', ')}`;
  throw new DeployError('RESTORE_FAILED', what, {
    where: set.manifest.server.version,
    next: ['restore it on a server of the same version or a newer one'],
  });
}

/**
 * A server that has no room for a second copy of the tables says so only while they are loaded: no
 * statement tells how much is free on its disk. Other failures come back as they are, and so does one
 * after which the database is not as before. Pure.
 */
export function explainNoRoom(error: unknown, { manifest, name }: BackupSet): unknown {
  if (isDeployError(error, 'PUT_BACK_FAILED') || !(isOutOfSpace(error) || isNoSpace(error)))
    return error;
  const packedBytes = manifest.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const what = `the database server has no room to load ${name} beside the tables that are there: the set has ${packedBytes} bytes, packed, and needs several times as many`;
  return new DeployError('SPACE_SHORT', what, {
    cause: error,
    where: `the disk or a limit of the server of ${manifest.database}`,
    facts: { packedBytes },
    next: ['make room on the disk of the database server, then run the same command again'],
  });
}
