import type { TypeCastField } from 'mysql2';

/**
 * A value of a row as mysql2 reads it, but DOUBLE: mysql2 adds up the digits itself, which is one
 * unit in the last place off for many numbers. Pure.
 */
export function readExactly(field: TypeCastField, next: () => unknown): unknown {
  if (field.type !== 'DOUBLE' && field.type !== 'FLOAT') return next();
  const digits = field.string();
  return digits === null ? null : Number(digits);
}
