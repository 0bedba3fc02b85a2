/**
 * 100,000 invented rows of five of Bamort's entities, as master data and as files for LOAD DATA:
 * all kinds of references, keys without a unique index, copies of texts, descriptions.
 */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { masterdataDir } from './masterdata.ts';

type Row = Record<string, string | number | boolean>;

/** Rows of each entity, parents first, in the order of their ids. */
export const sizes = {
  sources: 400,
  skill_categories: 300,
  skill_difficulties: 300,
  skills: 39_000,
  skill_category_difficulties: 60_000,
} as const;

export type Name = keyof typeof sizes;
export const names = Object.keys(sizes) as Name[];
/** Their tables. */
export const tables: Record<Name, string> = {
  sources: 'gsm_lit_sources',
  skill_categories: 'learning_skill_categories',
  skill_difficulties: 'learning_skill_difficulties',
  skills: 'gsm_skills',
  skill_category_difficulties: 'learning_skill_category_difficulties',
};

export const rowCount = Object.values(sizes).reduce((sum, one) => sum + one, 0);

const text =
  'Wer diese Fertigkeit beherrscht, wirft 1W20 + Wert; gelingt es, weiß er Größe und Weg. ';
const system = 'midgard';

/** One row as the file of master data has it. `round` 1 differs from 0 in every hundredth row. */
export function rowOf(name: Name, at: number, round: number): Row {
  const fresh = round > 0 && at % 100 === 7;
  switch (name) {
    case 'sources':
      return {
        ...{ code: `Q${at}`, name: `Quelle ${at}`, full_name: `Buch Nr. ${at}`, edition: '5' },
        ...{ publisher: fresh ? 'Neuer Verlag' : 'Verlag', publish_year: 2000 + (at % 30) },
        ...{ description: '', is_core: at % 2 === 0, is_active: true, game_system: system },
      };
    case 'skill_categories':
      return {
        name: `Kategorie ${at}`,
        game_system: system,
        quelle: fresh ? 'NEU' : 'KOD',
        ...source(at),
      };
    case 'skill_difficulties':
      return { name: `Stufe ${at}`, game_system: system, description: fresh ? 'neu' : '' };
    case 'skills':
      return {
        ...{ name: `Fertigkeit Nr. ${at} der Größe`, game_system: system },
        ...{ beschreibung: text.repeat(1 + (at % 3)), quelle: `MYS5 ${at % 300}`, ...source(at) },
        ...{ page_number: fresh ? 999 : at % 300, initialwert: 5, basiswert: 0 },
        ...{ bonuseigenschaft: 'Gw', improvable: true, innate_skill: at % 9 === 0 },
        ...{ category: `Kategorie ${at % sizes.skill_categories}`, difficulty: `Stufe ${at % 4}` },
      };
    case 'skill_category_difficulties':
      return {
        ...{ skill_name: `Fertigkeit Nr. ${skillOf(at)} der Größe`, skill_system: system },
        ...{ category_name: `Kategorie ${categoryOf(at)}`, category_system: system },
        ...{ difficulty_name: `Stufe ${at % sizes.skill_difficulties}`, difficulty_system: system },
        learn_cost: fresh ? 77 : at % 60,
      };
  }
}

const source = (at: number) => ({ source_code: `Q${at % sizes.sources}` });
const skillOf = (at: number) => at % sizes.skills;
const categoryOf = (at: number) => (at + Math.floor(at / sizes.skills)) % sizes.skill_categories;

/** Columns and values of one row of the table; ids count from 1, the value of a row's place + 1. */
export function columnsOf(name: Name, at: number, round: number): Row {
  const row = rowOf(name, at, round);
  if (name === 'skill_category_difficulties') {
    return {
      ...{ id: at + 1, skill_id: skillOf(at) + 1, skill_category_id: categoryOf(at) + 1 },
      ...{
        skill_difficulty_id: (at % sizes.skill_difficulties) + 1,
        learn_cost: row['learn_cost']!,
      },
      ...{ skill_category: row['category_name']!, skill_difficulty: row['difficulty_name']! },
    };
  }
  const { source_code: code, basiswert, ...own } = row;
  return {
    id: at + 1,
    ...own,
    ...(code === undefined ? {} : { source_id: (at % sizes.sources) + 1 }),
    ...(basiswert === undefined ? {} : { basis_wert: basiswert }),
    game_system_id: 1,
  };
}

/** Writes a set of format 2.0 with these rows, declared as the shipped one declares them. */
export async function writeRows(dir: string, round: number): Promise<void> {
  const declaration = JSON.parse(await readFile(path.join(masterdataDir, 'entities.json'), 'utf8'));
  const { entities } = declaration as { entities: Record<Name, { file: string }> };
  declaration.entities = Object.fromEntries(names.map((name) => [name, entities[name]]));
  await writeFile(path.join(dir, 'entities.json'), JSON.stringify(declaration));
  const about = {
    export_version: '2.0',
    backend_version: '1',
    timestamp: 'now',
    game_system: system,
  };
  const files: Record<string, unknown> = {};
  for (const name of names) {
    const rows = Array.from({ length: sizes[name] }, (_, at) => rowOf(name, at, round));
    const content = JSON.stringify({ ...about, data: rows }, null, 2);
    await writeFile(path.join(dir, entities[name].file), content);
    const sha256 = createHash('sha256').update(content).digest('hex');
    files[entities[name].file] = { sha256, count: rows.length };
  }
  await writeFile(
    path.join(dir, 'metadata.json'),
    JSON.stringify({ ...about, db_version: '1', files }),
  );
}

/** Writes what LOAD DATA reads: a file of tab-separated values, and the names of its columns. */
export async function writeTsv(
  dir: string,
  name: Name,
): Promise<{ file: string; columns: string[] }> {
  const file = path.join(dir, `${name}.tsv`);
  const lines = Array.from({ length: sizes[name] }, (_, at) =>
    Object.values(columnsOf(name, at, 0))
      .map((value) => (typeof value === 'boolean' ? String(Number(value)) : String(value)))
      .join('\t'),
  );
  await writeFile(file, `${lines.join('\n')}\n`);
  return { file, columns: Object.keys(columnsOf(name, 0, 0)) };
}
