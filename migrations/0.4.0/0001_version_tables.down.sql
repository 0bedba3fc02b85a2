-- Takes back only the row that the up file has added. The tables stay: this tool records the
-- revert in them, and they do no harm to a database of 0.3.0.

DELETE FROM schema_version
WHERE version = '0.1.37'
  AND description = 'placeholder of migration 0001: keeps the backend from adding one';
