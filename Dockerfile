# One image for every service: which one a container runs is its command. Built for the machine's own architecture.
ARG NODE_VERSION=20.20.2
ARG DEBIAN_VERSION=12.12

FROM node:${NODE_VERSION}-bookworm-slim AS base
WORKDIR /app
COPY package.json package-lock.json .npmrc ./

FROM base AS packages
RUN npm ci --omit=dev --no-audit --no-fund && npm cache clean --force

FROM base AS build
RUN npm ci --no-audit --no-fund
COPY . .
RUN npx tsc -p .

# The runtime needs the program `node` and what Debian's base has: no npm, no compiler.
FROM debian:${DEBIAN_VERSION}-slim
LABEL org.opencontainers.image.title="playbill" org.opencontainers.image.licenses="MIT"
COPY --from=base /usr/local/bin/node /usr/local/bin/node
WORKDIR /app
COPY package.json ./
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /app/.local/build/services ./.local/build/services
COPY --from=build /app/.local/build/deploy/compose ./.local/build/deploy/compose
COPY deploy/container ./deploy/container
ENV NODE_ENV=production TZ=UTC NODE_OPTIONS=--enable-source-maps
# Nothing under /app belongs to it and nothing has to be written but /tmp: the root file system may be read-only.
USER 10001:10001
ENTRYPOINT ["/usr/local/bin/node"]
# Of a service; a job's container ends before it matters. Compose and Kubernetes state their own.
HEALTHCHECK --interval=5s --timeout=2s --start-period=60s --retries=6 CMD ["/usr/local/bin/node", "deploy/container/health.mjs"]
