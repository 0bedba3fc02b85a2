/** Stands for `schema.sql` in plans and journals; no migration file has this number. */
export const INSTALL_NUMBER = -1;
