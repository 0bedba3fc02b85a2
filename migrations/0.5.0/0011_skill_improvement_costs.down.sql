-- Takes the new table away; the old one still has what the up file has copied.
-- DATA LOSS: costs that were entered or changed in the new table since the migration.

DROP TABLE skill_improvement_cost2;
