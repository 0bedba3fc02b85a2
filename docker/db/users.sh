# Run once by the image of MariaDB, when it makes a new data directory: the accounts of deploy,
# sidecar and backend. Their passwords come from files, and go to the client on stdin: they are
# neither printed nor among anybody's arguments. It is sourced or executed, so a subshell holds it.
(
  set -eu

  # 'text' as SQL: a password may hold any character.
  literal() { printf "'%s'" "$(printf '%s' "$1" | sed "s/\\\\/\\\\\\\\/g; s/'/''/g")"; }
  password() { literal "$(cat "/run/secrets/db_$1_password")"; }
  # `name` as SQL, of one table and as a pattern of databases, in which _ and % would be wildcards.
  name() { printf '`%s`' "$(printf '%s' "$1" | sed 's/`/``/g')"; }
  pattern() { name "$(printf '%s' "$1" | sed 's/[\\_%]/\\&/g')"; }
  # The same with `more` behind it, e.g. `bamort\_deploy\_%`.
  pattern_with() { printf '%s%s`' "$(pattern "$1" | sed 's/`$//')" "$2"; }

  database=$(name "$APP_DATABASE")
  {
    echo "CREATE USER 'deploy'@'%' IDENTIFIED BY $(password deploy);"
    echo "GRANT ALL PRIVILEGES ON $(pattern "$APP_DATABASE").* TO 'deploy'@'%';"
    # A restore is loaded into a database of its own and swapped in.
    echo "GRANT ALL PRIVILEGES ON $(pattern_with "$APP_DATABASE" '\_deploy\_%').* TO 'deploy'@'%';"

    # The backend works with rows; what changes the structure is deploy's.
    echo "CREATE USER 'backend'@'%' IDENTIFIED BY $(password backend);"
    echo "GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE, CREATE TEMPORARY TABLES ON $(pattern "$APP_DATABASE").* TO 'backend'@'%';"

    # The sidecar serves the public: it sees the history, and no row of the application.
    # MariaDB: a right on a table that does not exist yet is only granted together with CREATE.
    # It also sees the names of the other tables (that is all that SHOW VIEW gives), because a
    # database with tables and without history is not an empty one.
    echo "CREATE USER 'health'@'%' IDENTIFIED BY $(password health) WITH MAX_USER_CONNECTIONS 5;"
    echo "GRANT SHOW VIEW ON $(pattern "$APP_DATABASE").* TO 'health'@'%';"
    for table in schema_version migration_history deploy_lock deploy_run deploy_journal; do
      echo "GRANT SELECT, CREATE ON $database.$(name "$table") TO 'health'@'%';"
      echo "REVOKE CREATE ON $database.$(name "$table") FROM 'health'@'%';"
    done
  } | MYSQL_PWD=$(cat /run/secrets/db_root_password) mariadb --no-defaults --protocol=socket \
    --socket=/run/mysqld/mysqld.sock --user=root --batch
)
