/** What stands in the place of a secret. */
const mask = '***';

/**
 * Gives `text` with every secret replaced by `***`, also where it stands URL-encoded or as part
 * of a JSON text. Everything that is printed, logged or written into a report goes through here.
 *
 * A secret of one or two characters is left: it would blank out half of every line, and hides
 * nothing that a guess would not find.
 */
export function redact(text: string, secrets: readonly string[]): string {
  let result = text;
  for (const form of knownForms(secrets)) result = result.replaceAll(form, mask);
  return result;
}

/** Of each list of secrets: every line of the log asks for the same ones. */
const known = new WeakMap<readonly string[], readonly string[]>();

function knownForms(secrets: readonly string[]): readonly string[] {
  const forms = known.get(secrets) ?? formsOf(secrets);
  known.set(secrets, forms);
  return forms;
}

/** Longest first, so that a secret that contains another one disappears as a whole. */
function formsOf(secrets: readonly string[]): string[] {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < 3) continue;
    const inJson = JSON.stringify(secret).slice(1, -1);
    forms.add(secret);
    forms.add(inJson);
    // JSON inside of JSON: a log line that holds a quoted JSON answer.
    forms.add(JSON.stringify(inJson).slice(1, -1));
    const encoded = encodeURIComponent(secret.toWellFormed());
    forms.add(encoded);
    forms.add(encoded.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()));
    forms.add(encodeURI(secret.toWellFormed()));
  }
  return [...forms].filter((form) => form !== '').sort((a, b) => b.length - a.length);
}
