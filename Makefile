# Every task of Tradewind. `make` alone prints this list.
SHELL := /bin/bash
.DEFAULT_GOAL := help
INSTALLED := node_modules/.package-lock.json

.PHONY: help
help: ## This list
	@echo "make TARGET"; echo
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

# Node 24 itself comes from npm, as a dependency: the machine's own Node only runs npm.
$(INSTALLED): package-lock.json package.json
	@command -v npm >/dev/null || { echo "npm is missing: install Node.js 20 or later, then run make again"; exit 1; }
	npm ci --no-audit --no-fund --loglevel=error >&2
	@touch $@

.PHONY: up down kubeconfig
up: $(INSTALLED) ## A cluster, the operator, and the trading system `demo`; safe to run again
	@npm run -s up

down: $(INSTALLED) ## End all that `make up` started and leave nothing behind
	@npm run -s down

kubeconfig: $(INSTALLED) ## Print the path of the kubeconfig that `make up` uses
	@npm run -s kubeconfig

.PHONY: test test-all test-unit test-integration test-api test-fault test-e2e lint-check coverage
test: $(INSTALLED) ## Everything: lint, types, unit, integration, API, cluster, end to end
	@npm run -s test

test-all: test ## The same, under the runbook's name

test-unit: $(INSTALLED) ## Unit tests (under 10 s, need nothing running)
	@npm run -s test -- unit

test-integration: $(INSTALLED) ## Tests against a real Redis and real sockets
	@npm run -s test -- integration

test-api: $(INSTALLED) ## Tests against a real kube-apiserver and etcd
	@npm run -s test -- api

test-fault: $(INSTALLED) ## The operator before an API server that misbehaves
	@npm run -s test -- fault

test-e2e: $(INSTALLED) ## A whole trading system in a whole cluster
	@npm run -s test -- cluster e2e

lint-check: $(INSTALLED) ## Format, lint, types, dead code
	@npm run -s test -- format lint types dead-code

coverage: $(INSTALLED) ## Unit tests with coverage
	@npm run -s coverage

.PHONY: generate verify bench format
generate: $(INSTALLED) ## Write CRDs, reference page and chart copies from the schemas
	@npm run -s generate

verify: $(INSTALLED) ## Fail if a generated file is stale
	@npm run -s generate -- --check

format: $(INSTALLED) ## Format the sources
	@npm run -s format

bench: $(INSTALLED) ## Benchmarks: make bench NAME=reload; without a name, a list
	@npm run -s bench -- $(NAME)
