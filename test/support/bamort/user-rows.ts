import { createHash } from 'node:crypto';
import { idOf } from './ids.ts';
import type { Random } from './random.ts';
import { list } from './rule-rows.ts';
import type { Row, TableRows } from './table-rows.ts';
import { dateTime, personName } from './texts.ts';

/** Password of each generated user, as the backend stores it: the MD5 of the text, in lower case. */
export const PASSWORD = 'bamort-test';

/** Makes users, sessions of character creation that were left open, and the audit log. */
export function makeUserRows(random: Random, users: number, characters: number): TableRows[] {
  return [
    { table: 'users', rows: list(users, (at) => makeUser(random, at)) },
    { table: 'char_char_creation_session', rows: list(2, (at) => makeSession(random, at)) },
    { table: 'audit_log_entries', rows: list(5, (at) => makeEntry(random, at, characters)) },
  ];
}

function makeUser(random: Random, at: number): Row {
  const resets = at === 2;
  return {
    user_id: idOf(at),
    username: at === 0 ? 'spielleiter' : `jürgen.${at}`,
    password_hash: createHash('md5').update(PASSWORD).digest('hex'),
    // '' once: the column is unique, and a user without address has '' and not NULL.
    email: at === 1 ? '' : `user${at}@example.org`,
    created_at: dateTime(random),
    updated_at: at === 1 ? null : dateTime(random),
    reset_pw_hash: resets ? random.bytes(16).toString('hex') : null,
    reset_pw_hash_expires: resets ? dateTime(random) : null,
  };
}

function makeSession(random: Random, at: number): Row {
  return {
    id: `char_create_1_${at}_${random.int(1e8, 1e9)}`,
    user_id: at,
    name: at === 0 ? '' : personName(random),
    rasse: 'Mensch',
    typ: null,
    herkunft: 'Küste',
    glaube: null,
    attributes: '{"st":0,"größe":"ü"}',
    derived_values: 'null',
    skills: '[]',
    spells: 'null',
    skill_points: '{}',
    created_at: dateTime(random),
    updated_at: dateTime(random),
    expires_at: null,
    current_step: at,
    geschlecht: 'weiblich',
    stand: null,
  };
}

// No foreign key: user 0 is "none", and entries stay when their character goes.
function makeEntry(random: Random, at: number, characters: number): Row {
  const before = random.int(0, 500);
  const after = random.int(0, 500);
  return {
    id: idOf(at) + 3,
    character_id: at === 0 ? 0 : idOf(at % Math.max(1, characters)),
    field_name: random.pick(['experience_points', 'gold']),
    old_value: at === 1 ? null : before,
    new_value: after,
    difference: at === 1 ? null : after - before,
    reason: random.pick(['manual', 'skill_learning', '']),
    user_id: 0,
    timestamp: dateTime(random),
    notes: random.pick(['Käse gekauft; 3 × "Öl"', '', null]),
  };
}
