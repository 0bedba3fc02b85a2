#!/bin/sh
# Makes the passwords that docker-compose.yml needs, and tells .env where they are. What exists stays
# as it is, so it may be run again. Needs nothing but a POSIX shell.
set -eu
cd "$(dirname "$0")/.."
folder=${1:-./secrets}

[ -e .env ] || cp .env.example .env
# The folder keeps others out. The files are readable, because the accounts inside the containers
# that read them have other numbers than the owner here.
mkdir -p "$folder" && chmod 700 "$folder"
for name in db_root db_deploy db_health db_backend admin; do
  file=$folder/${name}_password
  [ -s "$file" ] && continue
  head -c 512 /dev/urandom | LC_ALL=C tr -dc 'A-Za-z0-9' | cut -c 1-32 >"$file"
  chmod 644 "$file"
  echo "made $file"
done
grep -q '^SECRETS_DIR=.' .env || {
  # A last line without its end would swallow it.
  [ -z "$(tail -c 1 .env)" ] || echo >>.env
  printf 'SECRETS_DIR=%s\n' "$folder" >>.env
  echo "added SECRETS_DIR=$folder to .env"
}
