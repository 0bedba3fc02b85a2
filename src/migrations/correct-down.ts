/**
 * What to do about a down file, or a data function, that stands in the way back: an `up`, which is told
 * elsewhere, does not go back. Pure.
 */
export function correctDown(migration: number, part: 'file' | 'data function'): string[] {
  return part === 'file'
    ? [
        'correct the down file, which no checksum covers, and build the image again, then: deploy rollback as before',
      ]
    : [
        `correct the function down and build the image again, then: deploy resolve --accept-checksum ${migration}, as the checksum covers that file, and deploy rollback as before`,
      ];
}
