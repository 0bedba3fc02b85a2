/** Makes packages byte by byte, as no honest program would write them. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

export type TarFile = {
  readonly name: string;
  readonly content?: string | Buffer;
  /** Type flag of the header; `0` is a regular file. */
  readonly flag?: string;
  readonly link?: string;
  /** What the header says instead of the true size: text of 12 characters. */
  readonly sizeField?: string;
  readonly damaged?: 'checksum' | 'magic';
};

const BLOCK = 512;

/** Header, content and padding of one entry. */
export function tarEntry(file: TarFile): Buffer {
  const content = Buffer.from(file.content ?? '');
  const header = Buffer.alloc(BLOCK);
  header.write(file.name, 0, 100, 'latin1');
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(
    file.sizeField ?? `${content.length.toString(8).padStart(11, '0')}\0`,
    124,
    12,
    'latin1',
  );
  header.write('00000000000\0', 136);
  header.write(file.flag ?? '0', 156, 1, 'latin1');
  header.write(file.link ?? '', 157);
  header.write(file.damaged === 'magic' ? 'otherx' : 'ustar\x0000', 257, 'latin1');
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, file.damaged === 'checksum' ? 1 : 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
  return Buffer.concat([header, content, padding]);
}

export const tarEnd: Buffer = Buffer.alloc(2 * BLOCK);

export function tarOf(files: readonly TarFile[]): Buffer {
  return Buffer.concat([...files.map(tarEntry), tarEnd]);
}

export function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

export type Parts = {
  readonly data?: readonly TarFile[];
  readonly metadata?: unknown;
  /** Replaces the text of checksums.txt that would be right. */
  readonly checksums?: (right: string) => string;
};

/** The entries of a package that is right, except for what is given. */
export function packageFiles(parts: Parts = {}): TarFile[] {
  const data = parts.data ?? [
    { name: 'masterdata/skills.json', content: '[{"name":"Reiten"}]' },
    { name: 'masterdata/sources.json', content: '[]' },
  ];
  const regular = data.filter(({ flag = '0' }) => flag === '0');
  const metadata = parts.metadata ?? {
    format: 1,
    version: '0.5.0',
    created_at: '2026-01-16T10:30:00.000Z',
    tool_version: '0.1.0',
    counts: { files: regular.length, rows: 1, by_file: {} },
  };
  const metadataText = typeof metadata === 'string' ? metadata : JSON.stringify(metadata);
  const all = [...data, { name: 'metadata.json', content: metadataText }];
  const sums = all.map(({ name, content = '' }) => `${sha256(content)}  ${name}\n`).join('');
  return [{ name: 'checksums.txt', content: parts.checksums?.(sums) ?? sums }, ...all];
}

/** A whole package. */
export function packageOf(parts: Parts = {}): Buffer {
  return gzipSync(tarOf(packageFiles(parts)));
}
