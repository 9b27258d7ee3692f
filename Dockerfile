# Images of the operator and of all workloads: `docker build --target operator .`, `--target workloads`. The files below /app
# are those that hack/images makes for the embedded cluster. BASE may be any image with Node 24 and a shell for the build.
ARG BASE=node:24-slim

FROM ${BASE} AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
COPY crds/package.json crds/
COPY operator/package.json operator/
COPY workloads/package.json workloads/
COPY bench/package.json bench/
COPY e2e/package.json e2e/
COPY hack/package.json hack/
RUN npm ci --no-audit --no-fund
COPY . .
RUN node hack/images/write.ts operator /out/operator && node hack/images/write.ts workloads /out/workloads

FROM ${BASE} AS base
USER 65532:65532
WORKDIR /

FROM base AS operator
COPY --from=build /out/operator/app /app
CMD ["node", "--max-semi-space-size=1", "/app/operator.js"]

# The operator names the program in each pod's command.
FROM base AS workloads
COPY --from=build /out/workloads/app /app
