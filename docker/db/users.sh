# The accounts of deploy, sidecar and backend. The image of MariaDB runs it once, when it makes a new
# data directory; for a server that is older, run it yourself, as often as you like:
#
#     docker compose exec db sh /docker-entrypoint-initdb.d/users.sh
#
# An account whose password is not among the secrets is not made; a password that is there and cannot be
# read, or is empty, ends it before anything is changed. Passwords come from files and go to the client on
# stdin: they are neither printed nor among anybody's arguments. The image sources it or executes it, so a
# subshell holds it.
(
  set -eu

  refuse() { echo "users.sh: $1; then run users.sh in this container again" >&2; exit 1; }
  for account in deploy backend health; do
    file=/run/secrets/db_${account}_password
    [ -e "$file" ] || continue
    password=$(cat "$file") || refuse "$file cannot be read by $(id -un): correct its owner or mode"
    [ -n "$password" ] || refuse "$file is empty, and $account would have no password: put one into it"
  done
  # Of a longer name deploy shortens what its staging is called, and the grant below would not fit.
  [ ${#APP_DATABASE} -le 53 ] ||
    refuse "the name $APP_DATABASE is longer than 53 bytes: choose a shorter one (DB_NAME, MARIADB_DATABASE)"

  # 'text' as SQL: a password may hold any character.
  literal() { printf "'%s'" "$(printf '%s' "$1" | sed "s/\\\\/\\\\\\\\/g; s/'/''/g")"; }
  account() {
    [ -e "/run/secrets/db_$1_password" ] || return 0
    password=$(literal "$(cat "/run/secrets/db_$1_password")")
    echo "CREATE USER IF NOT EXISTS '$1'@'%';"
    # The password also when the account was there.
    # Not by echo, which understands backslashes in some shells.
    printf '%s\n' "ALTER USER '$1'@'%' IDENTIFIED BY $password WITH MAX_USER_CONNECTIONS $2;"
    "grant_$1"
  }
  # `name` as SQL, of one table and as a pattern of databases, in which _ and % would be wildcards.
  name() { printf '`%s`' "$(printf '%s' "$1" | sed 's/`/``/g')"; }
  pattern() { name "$(printf '%s' "$1" | sed 's/[\\_%]/\\&/g')"; }
  # The same with `more` behind it, e.g. `bamort\_deploy\_%`.
  pattern_with() { printf '%s%s`' "$(pattern "$1" | sed 's/`$//')" "$2"; }

  # With which deploy keeps the application out while the database changes (fence.sql).
  fence() {
    cat /docker-entrypoint-initdb.d/fence.sql
    for user in $(printf '%s' "${FENCE_USERS-}" | tr ',' ' '); do
      echo "INSERT IGNORE INTO deploy_fence.accounts VALUES ($(literal "$user"));"
    done
  }

  grant_deploy() {
    fence
    echo "GRANT EXECUTE ON \`deploy\\_fence\`.* TO 'deploy'@'%';"
    echo "GRANT ALL PRIVILEGES ON $(pattern "$APP_DATABASE").* TO 'deploy'@'%';"
    # A restore is loaded into a database of its own and swapped in.
    echo "GRANT ALL PRIVILEGES ON $(pattern_with "$APP_DATABASE" '\_deploy\_%').* TO 'deploy'@'%';"
  }

  # The backend works with rows; what changes the structure is deploy's. Its rights cover the rows of deploy's
  # own tables and of the history as well: MariaDB can take nothing away from a grant on a database, and a
  # grant for each table would leave out those of the next migration.
  grant_backend() {
    echo "GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE, CREATE TEMPORARY TABLES ON $(pattern "$APP_DATABASE").* TO 'backend'@'%';"
  }

  # The sidecar serves the public: it sees the history, and no row of the application.
  # MariaDB: a right on a table that does not exist yet is only granted together with CREATE.
  # It also sees the names of the other tables (that is all that SHOW VIEW gives), because a
  # database with tables and without history is not an empty one.
  grant_health() {
    echo "GRANT SHOW VIEW ON $(pattern "$APP_DATABASE").* TO 'health'@'%';"
    for table in schema_version migration_history deploy_lock deploy_run deploy_journal; do
      echo "GRANT SELECT, CREATE ON $(name "$APP_DATABASE").$(name "$table") TO 'health'@'%';"
      echo "REVOKE CREATE ON $(name "$APP_DATABASE").$(name "$table") FROM 'health'@'%';"
    done
  }

  if [ -r /run/secrets/db_root_password ]; then
    MARIADB_ROOT_PASSWORD=$(cat /run/secrets/db_root_password)
  fi
  {
    account deploy 0
    account backend 0
    account health 5
  } | MYSQL_PWD=${MARIADB_ROOT_PASSWORD-} mariadb --no-defaults --protocol=socket \
    --socket=/run/mysqld/mysqld.sock --user=root --batch
)
