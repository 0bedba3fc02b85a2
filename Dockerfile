# Two images: `health`, the sidecar, and `deploy`, the one-shot (the last, so the default).
#
#     docker compose build
#     docker build --target health --build-arg VERSION=0.5.0 .
#
# Nothing is downloaded when a container starts. Writable at run time: /backups /reports /packages
# /scratch (volumes) and /tmp; the rest may be read-only.

FROM node:26-trixie-slim AS base
ENV NODE_ENV=production \
    NODE_COMPILE_CACHE=/app/.cache
WORKDIR /app
# A number that no person and no other image has; compile caches belong to it.
RUN groupadd --gid 65532 deploy \
 && useradd --uid 65532 --gid deploy --no-create-home --home-dir /tmp --shell /usr/sbin/nologin deploy \
 && install -d -o deploy -g deploy .cache

FROM base AS packages
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm \
    npm ci --omit=dev --omit=optional --no-audit --no-fund --loglevel=error

# What the sidecar needs of the sources, and no more: it cannot start what is not in its image.
FROM base AS sidecar-sources
COPY scripts/copy-imports.ts scripts/
COPY src src/
COPY healthcheck healthcheck/
RUN mkdir /sidecar && cp -r healthcheck /sidecar/ && node scripts/copy-imports.ts /sidecar healthcheck/*.ts


FROM base AS health
COPY --from=packages /app/node_modules node_modules/
COPY --from=sidecar-sources /sidecar ./
COPY --chmod=755 docker/health.sh /usr/local/bin/health
COPY package.json ./
COPY migrations migrations/
USER 65532:65532
# It needs 20 MB of heap. Without these, what requests leave behind would lie about for long.
ENV NODE_OPTIONS="--max-semi-space-size=1 --max-old-space-size=64" \
    MALLOC_ARENA_MAX=1
# Compiles everything once; the probe ends at once here, as there is no server.
RUN node healthcheck/main.ts --compile \
 && ! node healthcheck/probe.ts live 2>/dev/null && chmod -R a-w .cache
EXPOSE 8183
# Whether it serves. Whether the database is as required is for /readyz: a sidecar that tells of a broken
# database is not broken itself, and `up --wait` gives up at the first container that is unhealthy.
HEALTHCHECK --start-period=60s --interval=5s --timeout=10s --retries=6 CMD ["node", "healthcheck/probe.ts", "live"]
ENTRYPOINT ["health"]
ARG VERSION
ARG REVISION
ARG BUILD_DATE
ENV DEPLOY_RELEASE=$VERSION DEPLOY_COMMIT=$REVISION DEPLOY_BUILD_DATE=$BUILD_DATE
LABEL org.opencontainers.image.title="bamort-deploy health" \
      org.opencontainers.image.description="Read-only sidecar: health, version, metrics and banner of a deployed database" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION:-unknown}" \
      org.opencontainers.image.revision="${REVISION:-unknown}" \
      org.opencontainers.image.created="${BUILD_DATE:-unknown}"


FROM base AS deploy
# mariadbd for the scratch server; the clients for backups, and for a restore by hand. Of the package
# mariadb-client only mariadb-dump is taken: the rest of it needs Perl.
RUN apt-get update \
 && apt-get install -y --no-install-recommends 'mariadb-server-core=1:11.8.*' 'mariadb-client-core=1:11.8.*' 'zstd=1.5.*' \
 && cd /tmp && apt-get download 'mariadb-client=1:11.8.*' \
 && dpkg-deb -x mariadb-client_*.deb client && mv client/usr/bin/mariadb-dump /usr/bin/ \
 && rm -rf /tmp/* /var/lib/apt/lists/* /var/lib/mysql /var/log/apt /var/log/dpkg.log
RUN install -d -o deploy -g deploy /backups /reports /packages /scratch
COPY --from=packages /app/node_modules node_modules/
COPY --chmod=755 docker/deploy.sh /usr/local/bin/deploy
COPY package.json ./
COPY src src/
COPY migrations migrations/
COPY masterdata masterdata/
USER 65532:65532
# Compiles what every start needs. There is no server here: `up` ends with exit code 12.
RUN export DB_HOST=127.0.0.1 DB_NAME=none DB_USER=none DB_PASSWORD=none DB_WAIT_SECONDS=0 REPORT_DIR=/tmp/none \
 && { deploy up >/dev/null 2>&1 || test $? -eq 12; } && rm -rf /tmp/none \
 && deploy version && deploy help env >/dev/null && chmod -R a-w .cache
ENTRYPOINT ["deploy"]
CMD ["up"]
ARG VERSION
ARG REVISION
ARG BUILD_DATE
ENV DEPLOY_RELEASE=$VERSION DEPLOY_COMMIT=$REVISION DEPLOY_BUILD_DATE=$BUILD_DATE
LABEL org.opencontainers.image.title="bamort-deploy" \
      org.opencontainers.image.description="Backs up, proves the backup, migrates, validates, or puts everything back" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION:-unknown}" \
      org.opencontainers.image.revision="${REVISION:-unknown}" \
      org.opencontainers.image.created="${BUILD_DATE:-unknown}"
