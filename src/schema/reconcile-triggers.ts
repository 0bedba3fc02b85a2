/** Where a missing trigger belongs among those that fire with it: their order decides. Pure. */
import { quoteNameText } from '../database/identifier.ts';
import type { ObjectKey, StoredObject } from './model.ts';
import type { Draft } from './reconcile-draft.ts';

type Place = { readonly word: 'FOLLOWS' | 'PRECEDES'; readonly name: string };

/** `FOLLOWS …` or `PRECEDES …` with a space behind, or nothing when it comes last anyway. */
export function triggerPlace(draft: Draft, trigger: StoredObject): string {
  const place = placeOf(draft, trigger);
  return place === null ? '' : `${place.word} ${quoteNameText(place.name)} `;
}

/** Puts the trigger among those of the draft and numbers them anew. */
export function joinTriggers(draft: Draft, trigger: StoredObject): void {
  const names = groupOf(draft.complete, trigger).map(({ name }) => name);
  const place = placeOf(draft, trigger);
  const at = place === null ? names.length : names.indexOf(place.name);
  names.splice(place?.word === 'FOLLOWS' ? at + 1 : at, 0, trigger.name);
  names.forEach((name, index) => {
    const key: ObjectKey = `trigger:${name}`;
    const object = name === trigger.name ? trigger : (draft.complete.get(key) as StoredObject);
    const attributes = { ...object.attributes, order: String(index + 1) };
    draft.complete.set(key, { ...object, attributes });
  });
}

function placeOf(draft: Draft, trigger: StoredObject): Place | null {
  const present = new Set(groupOf(draft.complete, trigger).map(({ name }) => name));
  const wanted = groupOf(draft.expected.objects, trigger).map(({ name }) => name);
  const at = wanted.indexOf(trigger.name);
  const before = wanted.slice(0, at).findLast((name) => present.has(name));
  if (before !== undefined) return { word: 'FOLLOWS', name: before };
  const behind = wanted.slice(at + 1).find((name) => present.has(name));
  return behind === undefined ? null : { word: 'PRECEDES', name: behind };
}

/** The triggers of the same table, time and event, in their order. */
function groupOf(
  objects: Draft['expected']['objects'] | Draft['complete'],
  trigger: StoredObject,
): StoredObject[] {
  const same = ['table', 'timing', 'event'];
  return [...objects.values()]
    .filter((object): object is StoredObject => object.kind === 'trigger')
    .filter((object) => same.every((name) => object.attributes[name] === trigger.attributes[name]))
    .sort((a, b) => Number(a.attributes['order']) - Number(b.attributes['order']));
}
