-- What it costs to improve a skill was stored for every skill. It depends only on category,
-- difficulty and level, and backend 0.2 reads it from a table with just these. It starts empty
-- unless filled here. The old table stays as it is: the backend does not use it any more, and no
-- row of it is lost.
--! description: improvement costs by category and difficulty

CREATE TABLE skill_improvement_cost2 (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  current_level bigint(20) NOT NULL,
  te_required bigint(20) NOT NULL,
  skill_category_id bigint(20) unsigned NOT NULL DEFAULT 1,
  skill_difficulty_id bigint(20) unsigned NOT NULL DEFAULT 1,
  PRIMARY KEY (id),
  KEY idx_skill_improvement_cost2_category_id (skill_category_id),
  KEY idx_skill_improvement_cost2_current_level (current_level),
  KEY idx_skill_improvement_cost2_difficulty_id (skill_difficulty_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- One row for each category, difficulty and level. Where the old rows disagree, the value that most
-- of them have is taken, and of equally frequent ones the lowest.
INSERT INTO skill_improvement_cost2
  (current_level, te_required, skill_category_id, skill_difficulty_id)
SELECT current_level, te_required, skill_category_id, skill_difficulty_id
FROM (
  SELECT cost.current_level, cost.te_required, pair.skill_category_id, pair.skill_difficulty_id,
    ROW_NUMBER() OVER (
      PARTITION BY pair.skill_category_id, pair.skill_difficulty_id, cost.current_level
      ORDER BY COUNT(*) DESC, cost.te_required
    ) AS place
  FROM learning_skill_improvement_costs AS cost
  JOIN learning_skill_category_difficulties AS pair
    ON pair.id = cost.skill_category_difficulty_id
  GROUP BY pair.skill_category_id, pair.skill_difficulty_id, cost.current_level, cost.te_required
) AS ranked
WHERE place = 1
ORDER BY skill_category_id, skill_difficulty_id, current_level;
