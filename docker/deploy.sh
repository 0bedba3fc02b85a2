#!/bin/sh
# `deploy` in the image, and its entrypoint. As with any image, `docker run -it IMAGE sh` gives a shell.
case ${1-} in
  sh | bash | node | mariadb | mariadb-dump | zstd) exec "$@" ;;
esac
exec node /app/src/main.ts "$@"
