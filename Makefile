# Everything a fresh machine needs is installed into .venv from the committed lock. The lock is whole,
# so nothing is resolved: pip's resolver would look past a pin that another package asks for with an
# extra.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
EXTRA  := $(VENV)/.extra
WEB    := tests/extra/web
STORE  ?= store
WHEELS ?=
# With WHEELS=DIR nothing is asked of the network: see make wheelhouse.
INSTALL := install --quiet --disable-pip-version-check --no-deps
OFFLINE := $(if $(WHEELS),--no-index --no-build-isolation --find-links $(abspath $(WHEELS)))
MUTANTS ?= 300
NIGHT  := 2011-03-31
COHORT := simulation/memon2012

.PHONY: help setup wheelhouse run reproduce test test-extra test-long mutants lint types docs site pictures docs-check bench clean

help:  ## Say what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: $(READY)  ## Install the locked environment, and hold its estimators to R's answers
	@$(BIN)/y90 --quiet certificate
	@$(BIN)/python -m flows.prefect.fresh_database

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	  { echo "Python 3.11 is needed: make PYTHON=python3.11 ..." >&2; exit 2; }
	@echo "setting up $(VENV): a minute or two"
	@$(PYTHON) -m venv $(VENV)
	@awk '/^[a-z]/ {own = /^setuptools==/} own' requirements.lock > $(VENV)/builder.lock
	@$(BIN)/pip $(INSTALL) $(OFFLINE) --require-hashes -r $(VENV)/builder.lock
	@$(BIN)/pip $(INSTALL) $(OFFLINE) --require-hashes -r requirements.lock
	@$(BIN)/pip $(INSTALL) --no-index --no-build-isolation -e .
	@$(BIN)/y90 --quiet certificate
	@$(BIN)/python -m flows.prefect.fresh_database
	@touch $@

$(EXTRA): $(READY) requirements-extra.lock
	@$(BIN)/pip $(INSTALL) --require-hashes -r requirements-extra.lock
	@touch $@

$(WEB)/node_modules: $(WEB)/package-lock.json
	@npm ci --prefix $(WEB) --ignore-scripts --no-audit --no-fund --silent
	@touch $@

wheelhouse:  ## Write every locked package into WHEELS=DIR, for a machine without a network
	@test -n "$(WHEELS)" || { echo "name a folder: make wheelhouse WHEELS=DIR" >&2; exit 2; }
	$(PYTHON) -m pip download --quiet --disable-pip-version-check --require-hashes --no-deps \
	  --dest $(WHEELS) -r requirements.lock

run: $(READY)  ## Run the main job: one synthetic export to one published release
	@$(BIN)/y90 --quiet --store $(STORE) simulate --preset memon2012 --format redcap \
	  --as-of $(NIGHT) --to $(STORE)/inbox/memon2012/$(NIGHT)
	@$(BIN)/y90 --store $(STORE) --config $(COHORT)/registry.toml run --as-of $(NIGHT) \
	  --data-cutoff $(NIGHT)

reproduce: $(READY)  ## Print the publication's figures beside the computed ones
	@$(BIN)/y90 reproduce

test: setup  ## Run the tests
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not extra and not long"

test-extra: $(EXTRA) $(WEB)/node_modules  ## Run what needs Debian packages: browser, Node, R, Java
	$(BIN)/python -m pytest -n 2 --dist loadfile -m extra

test-long: $(READY)  ## Run the long campaigns: crash, fuzz, mutation
	$(BIN)/python -m pytest -m long

mutants: $(READY)  ## Change one place at a time and see that a test fails: 300 draws, hours
	$(BIN)/python -m tests.mutants --faults
	$(BIN)/python -m tests.mutants --count $(MUTANTS)

lint: $(READY)  ## Check style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)  ## Check types
	$(BIN)/mypy

docs: $(READY)  ## Write the generated pages
	$(BIN)/python docs/write.py

site: $(EXTRA)  ## Build the documentation site into site/, to be opened without a network
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --clean

pictures: $(READY)  ## Take the README's pictures from the report of the current release (needs Chromium)
	$(BIN)/python docs/pictures.py $(STORE)/releases/$(subst -,.,$(NIGHT))/report/index.html

docs-check: $(READY)  ## Fail where a generated page differs from the code
	$(BIN)/python docs/write.py --check

bench: $(READY)  ## Measure against hand-written SQL and R
	$(BIN)/python -m benchmarks

clean:  ## Remove what was built
	rm -rf $(VENV) build *.egg-info store
