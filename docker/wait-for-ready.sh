#!/bin/sh
# Starts the command that follows once the database is as this release requires it:
#
#     entrypoint: [sh, /wait-for-ready.sh]      in the compose file, with this file mounted;
#     command: [./server]                       whatever the image starts otherwise
#
# `depends_on` holds in `docker compose up` only. After a reboot the engine starts the backend again by
# itself, whatever state the database is in. Asks the sidecar; when the limit is over, it ends with exit
# code 1, and `restart: unless-stopped` makes the engine try again.
#
# Needs a POSIX shell, and curl, wget or bash. The environment:
#
#     READY_URL                the sidecar's answer to wait for (http://health:8183/readyz)
#     READY_TIMEOUT_SECONDS    the limit (300)
set -u
url=${READY_URL:-http://health:8183/readyz}
limit=${READY_TIMEOUT_SECONDS:-300}

say() { echo "wait-for-ready: $*" >&2; }
[ $# -gt 0 ] || { say 'usage: wait-for-ready.sh COMMAND [ARGUMENT]…'; exit 2; }
# As PID 1 it would ignore them.
trap 'exit 143' TERM
trap 'exit 130' INT

# Does the sidecar answer with 200?
if command -v curl >/dev/null; then
  is_ready() { curl --silent --fail --max-time 5 --output /dev/null "$url"; }
elif command -v wget >/dev/null; then
  is_ready() { wget -q -T 5 -O /dev/null "$url"; }
elif command -v bash >/dev/null; then
  rest=${url#http://}
  address=${rest%%/*}
  host=${address%:*}
  port=${address##*:}
  [ "$port" != "$address" ] || port=80
  is_ready() {
    # shellcheck disable=SC2016 # the variables are bash's
    bash -c 'exec 3<>"/dev/tcp/$0/$1" || exit 1
      printf "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n" "$2" "$0" >&3
      read -r -t 5 _ status _ <&3 && [ "$status" = 200 ]' "$host" "$port" "/${rest#*/}" 2>/dev/null
  }
else
  say 'needs curl, wget or bash, and this image has none of them'
  exit 2
fi

begin=$(date +%s)
until is_ready; do
  [ "${waiting-}" ] || say "waiting up to $limit s for $url"
  waiting=yes
  if [ $(($(date +%s) - begin)) -ge "$limit" ]; then
    say "the database is not ready after $limit s (the sidecar says why: ${url%/readyz}/api/system/health); $1 is not started"
    exit 1
  fi
  sleep 1
done
exec "$@"
