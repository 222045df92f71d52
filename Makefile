# The project's commands. A machine needs python3 with venv, make and git; everything else is fetched into the project.
export UV_CACHE_DIR ?= $(CURDIR)/.local/uv/cache
export PATH := $(PATH):$(CURDIR)/.local/uv/bin
export SAM_CLI_TELEMETRY := 0
# Without this an import by a test would leave bytecode in the folders that are deployed.
export PYTHONPYCACHEPREFIX := $(CURDIR)/.local/pycache

UV := $(or $(shell command -v uv),.local/uv/bin/uv)
PYTHON := .venv/bin/python
SAM := .local/env/sam/bin/sam
LOCKED := uv cloud sam project schemathesis tokens audit

.PHONY: run demo test check audit bench openapi build deploy setup lock

run: setup  ## The local cloud, in the foreground, until Ctrl-C
	@$(PYTHON) -m local

demo: setup  ## A sale from checkout to refund, played against the running local cloud
	@$(PYTHON) -m local.demo

test: setup  ## All tests, with a local cloud of their own
	$(PYTHON) -m pytest

check: setup  ## Everything that is proven without running
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	AWS_DEFAULT_REGION=us-east-1 $(SAM) validate --lint
	.local/env/sam/bin/cfn-lint template.yaml

audit: .local/env/audit/.ready  ## The locked dependencies against published advisories; needs the network
	for locked in shared/requirements.txt requirements/*.txt; do \
	  .local/env/audit/bin/pip-audit --strict --disable-pip --require-hashes --requirement $$locked || exit 1; \
	done

bench: build  ## What is promised about calls, round trips, sizes and import times, measured
	@$(PYTHON) -m bench

openapi: setup  ## docs/openapi.json, errors.md, events.md, access.md, merchants.md, combinations.md and stripe-keys.md, written anew from the code
	@$(PYTHON) -m local.openapi
	@$(PYTHON) -m local.errors_page
	@$(PYTHON) -m local.events_page
	@$(PYTHON) -m local.access_page
	@$(PYTHON) -m local.merchants_page
	@$(PYTHON) -m local.combinations_page
	@$(PYTHON) -m local.stripe_keys_page

build: setup  ## What `deploy` deploys, in .aws-sam
	find functions -name __pycache__ -prune -exec rm -rf {} +
	$(SAM) build

deploy: build  ## The stack, in the AWS account of the shell's credentials, as samconfig.toml says
	$(SAM) deploy

setup: .venv/.ready .local/env/cloud/.ready .local/env/sam/.ready .local/env/openapi/.ready .local/env/schemathesis/.ready

lock:  ## Newer dependencies, within the bounds of the .in files
	$(UV) pip compile --quiet --upgrade --universal --generate-hashes --no-header --python-version 3.13 \
	  shared/requirements.in --output-file shared/requirements.txt
	for name in $(LOCKED); do \
	  $(UV) pip compile --quiet --upgrade --universal --generate-hashes --no-header --python-version 3.13 \
	    requirements/$$name.in --output-file requirements/$$name.txt || exit 1; \
	done
	$(UV) pip compile --quiet --upgrade --no-deps --universal --generate-hashes --no-header --python-version 3.13 \
	  requirements/openapi.in --output-file requirements/openapi.txt

.venv/.ready: requirements/project.txt | $(UV)
.local/env/cloud/.ready: requirements/cloud.txt | $(UV)
.local/env/sam/.ready: requirements/sam.txt | $(UV)
.local/env/openapi/.ready: requirements/openapi.txt | $(UV)
.local/env/audit/.ready: requirements/audit.txt | $(UV)
.local/env/schemathesis/.ready: requirements/schemathesis.txt | $(UV)
%/.ready:
	@echo "Installing $^ into $*"
	@test -x $*/bin/python || $(UV) venv --quiet --clear --python 3.13 $*
	@$(UV) pip sync --quiet --require-hashes --compile-bytecode --python $*/bin/python $^
	@# Where the project's own environment finds the layer's package; functions in the local cloud get the layer.
	@$(if $(filter .venv,$*),echo "$(CURDIR)/shared" > .venv/lib/python3.13/site-packages/marketplace.pth)
	@touch $@

.local/uv/bin/uv: requirements/uv.txt
	@echo "Installing uv into .local/uv"
	@python3 -m venv .local/uv || { echo "python3 comes without venv here: on Debian, apt-get install python3-venv"; exit 1; }
	@.local/uv/bin/python -m pip install --quiet --require-hashes --requirement $<
