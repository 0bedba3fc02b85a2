#!/bin/sh
# `deploy` in the image, and its entrypoint. As with any image, `docker run -it IMAGE sh` gives a shell.
case ${1-} in
  sh | bash | node | mariadb | mariadb-dump | zstd) exec "$@" ;;
esac
# What rows leave behind while they pass would lie about for long: 60 MB more at the peak. The heap's
# limit is far away, but V8 lets one that may be larger grow faster.
exec node --max-semi-space-size=1 --max-old-space-size=1024 /app/src/main.ts "$@"
