#!/bin/sh
# `health` in the image, and its entrypoint. As with any image, `docker run -it IMAGE sh` gives a shell.
case ${1-} in
  sh | bash | node) exec "$@" ;;
esac
exec node /app/healthcheck/main.ts "$@"
