/** Stands for `schema.sql` in plans and journals; no migration file has this number. */
export const INSTALL_NUMBER = -1;

/** A migration's number as people read it, e.g. `0012`; `install` for the statements of `schema.sql`. */
export function showNumber(number: number): string {
  return number === INSTALL_NUMBER ? 'install' : String(number).padStart(4, '0');
}
