/** Word lists of the generated rules. Invented: no rule book is quoted. */

// U+FB00 is one character for two f, as copied from a PDF. The server takes it for equal to 'ff',
// JavaScript does not. The name is also too long for the copies of it (varchar(15)).
const ligature = 'Wurfwaﬀen und Netze';

/** Categories of skills; the last one has a ligature and is longer than 15 characters. */
export const skillCategories: readonly string[] =
  'Handwerk,Wald & Wiese,Höhle,Gesang,Küche,Zählen,Straße,Tierzucht,Flößerei,Rätsel'
    .split(',')
    .concat(ligature);

export const skillDifficulties: readonly string[] = 'leicht,mäßig,schwer,unerhört'.split(',');

export const spellSchools: readonly string[] =
  'Nebel,Glut,Wurzel,Klang,Spiegel,Stille,Funke,Sporen,Gezeiten,Dämmer'.split(',');

/** `gsm_spells.learning_category`: another thing than the school. */
export const spellKinds: readonly string[] =
  'Wort,Lied,Zeichen,Tanz,Geste,Blick,Rätselspruch'.split(',');

/** Two have no name, two differ in one letter, one is in lower case where characters write it in upper case. */
export const believes: readonly string[] =
  'Ylva,,Ylwa,schamanistisch,Drei Quellen,Mühlgeist,Sturm,Öde,'.split(',');

/** Names of classes; the code is made from the place in the list. */
export const characterClasses: readonly string[] =
  'Brückenwart,Nebelsänger,Köhler,Läufer,Muschelhirt,Öler,Pfeifer,Quellhüter,Rußkratzer,Salzweib,Türmer,Uhu,Vogler,Wägner,Zöllner'.split(
    ',',
  );

/** Names of the attributes of a character. */
export const attributes: readonly string[] =
  'Kraft,Mut,Körper,Geist,Anmut,Zähigkeit,Glück,Sinn,Wille'.split(',');
