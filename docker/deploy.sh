#!/bin/sh
# `deploy` in the image, and its entrypoint. As with any image, `docker run -it IMAGE sh` gives a shell.
case ${1-} in
  sh | bash | node | mariadb | mariadb-dump | zstd) exec "$@" ;;
esac
# What rows leave behind while they pass would lie about for long: 60 MB more at the peak. The heap's
# limit is far away, but V8 lets one that may be larger grow faster.
# No package is a link: not to look for one in every part of every path makes each start 7 ms shorter.
exec node --max-semi-space-size=1 --max-old-space-size=1024 --preserve-symlinks --preserve-symlinks-main \
  /app/src/main.ts "$@"
