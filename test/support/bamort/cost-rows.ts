import { idOf } from './ids.ts';
import type { Random } from './random.ts';
import { list } from './rule-rows.ts';
import type { Row, TableRows } from './table-rows.ts';
import { characterClasses, skillCategories, skillDifficulties, spellSchools } from './words.ts';

// The copies of names beside the ids are shorter than the names (varchar(15)).
const shortCategories = skillCategories.filter((name) => name.length <= 15);

/** Number of different (category, difficulty) pairs in learning_skill_category_difficulties. */
export const PAIRS = 24;

/**
 * Makes what learning costs. A pair of category and difficulty has one price for each level, as in the
 * real data, although the table has it once for each skill of that pair.
 */
export function makeCostRows(random: Random, skills: readonly Row[]): TableRows[] {
  const pairs = list(92, (at) => makePair(random, at, skills));
  const improvements = pairs.flatMap((pair, at) => makeImprovements(pair, at));
  return [
    { table: 'learning_skill_category_difficulties', rows: pairs },
    {
      table: 'learning_skill_improvement_costs',
      rows: improvements.map((row, at) => ({ id: idOf(at), ...row })),
    },
    { table: 'learning_class_category_ep_costs', rows: makeCategoryCosts(random) },
    {
      table: 'learning_class_spell_school_ep_costs',
      rows: list(52, (at) => makeSchoolCost(random, at)),
    },
    {
      table: 'learning_spell_level_le_costs',
      rows: list(12, (at) => ({
        id: idOf(at),
        level: at + 1,
        le_required: (at + 1) ** 2,
        game_system: 'midgard',
      })),
    },
  ];
}

// The pairs repeat after 24, so that each of them has three or four skills.
function makePair(random: Random, at: number, skills: readonly Row[]): Row {
  const pair = at % PAIRS;
  const category = pair % skillCategories.length;
  const difficulty = Math.floor(pair / skillCategories.length);
  return {
    id: idOf(at),
    skill_id: skills[at % skills.length]!['id']!,
    skill_category_id: idOf(category),
    skill_difficulty_id: idOf(difficulty),
    learn_cost: random.int(1, 30),
    skill_difficulty: skillDifficulties[difficulty]!,
    skill_category: skillCategories[category]!,
  };
}

// The first skill of a pair has all levels, the others end earlier.
function makeImprovements(pair: Row, at: number): Row[] {
  const levels = at < PAIRS ? 10 : 4 + (at % 4);
  return list(levels, (step) => ({
    skill_category_difficulty_id: pair['id']!,
    current_level: 5 + step,
    te_required:
      Number(pair['skill_category_id']) * 10 + Number(pair['skill_difficulty_id']) * step,
  }));
}

function makeCategoryCosts(random: Random): Row[] {
  return list(characterClasses.length * shortCategories.length, (at) => {
    const classAt = Math.floor(at / shortCategories.length);
    const category = shortCategories[at % shortCategories.length]!;
    return {
      id: idOf(at),
      character_class_id: idOf(classAt),
      skill_category_id: idOf(skillCategories.indexOf(category)),
      ep_per_te: random.pick([10, 20, 30, 40]),
      character_class: characterClasses[classAt]!.slice(0, 2),
      skill_category: category,
    };
  });
}

function makeSchoolCost(random: Random, at: number): Row {
  const classAt = at % characterClasses.length;
  const school = Math.floor(at / characterClasses.length);
  return {
    id: idOf(at),
    character_class_id: idOf(classAt),
    spell_school_id: idOf(school),
    ep_per_le: random.pick([30, 60, 90]),
    character_class: characterClasses[classAt]!.slice(0, 2),
    spell_school: spellSchools[school]!,
  };
}
