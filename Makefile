# `make` lists what there is. Everything runs in .venv, which `make install` fills from the pinned requirements.

SHELL = /bin/sh
.DEFAULT_GOAL = help
.DELETE_ON_ERROR:
.SUFFIXES:

VENV = .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/installed
PACKAGES = station ui drivers offline_cache config central
CODE = $(PACKAGES) tests tools
CATALOGUES = $(patsubst %.po,%.mo,$(wildcard ui/locale/*/LC_MESSAGES/*.po central/office/locale/*/LC_MESSAGES/*.po))
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet
# Build tools come from requirements/build.txt, never unpinned from the index.
PIP_INSTALL = $(PIP) install --use-pep517 --no-build-isolation --require-hashes
JOBS = 2
# The tests of what decides: alone they cover it whole, and counting coverage makes Python three times as slow.
DECIDES = tests/core tests/records
DEMO_ARGS =
RUN_ARGS =
BENCH_ARGS =
PYTEST_ARGS =

# Empty folders of packages yet to come must not fail a tool that is given them.
existing = $(foreach package,$(1),$(if $(wildcard $(package)/*.py $(package)/*/*.py),$(package)))

.PHONY: help
help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

.PHONY: install
install: $(STAMP) $(CATALOGUES) ## fill .venv with the pinned requirements and this project

# The interpreter of .venv is a link: when the Python behind it goes or changes, .venv is made anew.
$(BIN)/python:
	@for python in $(PYTHON) python3.11 python3 python3.12 python3.13 python3.14; do \
	    if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        $$python -m venv --clear $(VENV) && exit 0; \
	        rm -rf $(VENV); \
	        echo "$$python cannot make a virtual environment; on Debian: apt install python3-venv" >&2; exit 1; \
	    fi; \
	done; echo "Python 3.11 or newer is needed" >&2; exit 1

$(STAMP): $(BIN)/python requirements/build.txt requirements/dev.txt pyproject.toml
	@echo "installing into $(VENV) (once; some minutes on a slow network)"
	@$(PIP_INSTALL) -r requirements/build.txt
	@$(PIP_INSTALL) -r requirements/dev.txt
	@$(PIP) install --no-build-isolation --no-deps --no-index --editable .
	@$(BIN)/python -m compileall -q $(call existing,$(PACKAGES))
	@touch $@

%.mo: %.po | $(STAMP)
	@$(BIN)/pybabel --quiet compile --statistics -i $< -o $@

.PHONY: demo
demo: install ## everything on this machine: central, station, emulated keys (DEMO_ARGS="--language sv")
	@$(BIN)/station demo $(DEMO_ARGS)

.PHONY: run
run: install ## the kiosk, as station.toml says (RUN_ARGS="--config FILE")
	@$(BIN)/station run $(RUN_ARGS)

.PHONY: lint
lint: install ## format, lint, types and the direction of imports
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

.PHONY: check
check: lint ## lint, and the tests of what decides: under a minute
	$(BIN)/python -m pytest -q -n $(JOBS) -m "not slow and not nightly" $(DECIDES) $(PYTEST_ARGS)

.PHONY: test
test: install ## every test but the nightly ones, and the coverage of what decides
	$(BIN)/python -m pytest -n $(JOBS) --cov --cov-report= $(DECIDES) $(PYTEST_ARGS)
	$(BIN)/coverage report --include='station/core/*,station/records/*' --fail-under=100
	$(BIN)/python -m pytest -n $(JOBS) -m "not nightly" $(addprefix --ignore=,$(DECIDES)) $(PYTEST_ARGS)

.PHONY: test-full
test-full: install ## as test, with ten times the examples of the searching tests and of the soak
	HYPOTHESIS_PROFILE=full $(MAKE) test

.PHONY: bench
bench: install ## how fast a station is on this machine (BENCH_ARGS="--quick --json")
	@$(BIN)/python -m tools.bench $(BENCH_ARGS)

SIMULATION_ARGS = --seeds 5000
.PHONY: test-nightly
test-nightly: install ## the nightly tests, and thousands of simulated sites (SIMULATION_ARGS="--seeds 500")
	$(BIN)/python -m pytest -n $(JOBS) -m nightly $(PYTEST_ARGS)
	$(BIN)/python -m tests.simulation $(SIMULATION_ARGS)

.PHONY: format
format: install ## put the code into the one format
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

.PHONY: messages
messages: install ## gather the texts of the screens and pages into the catalogues, for translators
	$(BIN)/pybabel --quiet extract --mapping=ui/babel.cfg --project=sync-station --no-location --sort-output \
	    --output=ui/locale/ui.pot .
	$(BIN)/pybabel --quiet update --input-file=ui/locale/ui.pot --output-dir=ui/locale --domain=ui --width=120 \
	    --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
	@PYTHONPATH=. $(BIN)/pybabel --quiet extract --mapping=central/office/babel.cfg --keywords=gettext_lazy \
	    --project=sync-station --no-location --sort-output --output=central/office/locale/django.pot .
	$(BIN)/pybabel --quiet update --input-file=central/office/locale/django.pot --output-dir=central/office/locale \
	    --domain=django --width=120 --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date

.PHONY: pictures
pictures: install ## draw every screen in every language in docs/pictures anew, and their page
	@mkdir -p docs/pictures
	@find docs/pictures -name '*.svg' -delete
	@$(BIN)/python -m ui.picture docs/pictures >/dev/null
	@$(BIN)/python -m docs.generate_screens

.PHONY: pictures-office
pictures-office: install ## draw the office's daily pages in docs/pictures anew, in a real browser
	@OFFICE_PICTURES=docs/pictures $(BIN)/python -m pytest -q tests/office/test_browser.py

# Without a machine's own settings for pip, so that what is locked is what the index has for everybody.
LOCK = env -u PIP_FIND_LINKS -u PIP_EXTRA_INDEX_URL -u PIP_NO_INDEX PIP_CONFIG_FILE=/dev/null CUSTOM_COMPILE_COMMAND="make lock" \
    $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-annotate --no-header \
    --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options

.PHONY: lock
lock: ## renew the pins in requirements/ within the bounds of pyproject.toml (LOCK_ARGS=--upgrade)
	test -x $(BIN)/pip-compile || $(MAKE) install
	$(LOCK) $(LOCK_ARGS) --output-file=requirements/build.txt requirements/build.in
	$(LOCK) $(LOCK_ARGS) --all-extras --constraint=requirements/build.txt --output-file=requirements/dev.txt pyproject.toml
	$(LOCK) --constraint=requirements/dev.txt --output-file=requirements/base.txt pyproject.toml
	$(LOCK) --constraint=requirements/dev.txt --extra=central --output-file=requirements/central.txt pyproject.toml
	$(LOCK) --constraint=requirements/dev.txt --extra=central --extra=postgresql --output-file=requirements/postgresql.txt pyproject.toml
	$(LOCK) --constraint=requirements/dev.txt --extra=central --extra=demo --output-file=requirements/demo.txt pyproject.toml
	@! grep -n '://' requirements/*.txt || { echo "an address got into the pins" >&2; exit 1; }

.PHONY: clean
clean: ## take away .venv and everything that can be made again
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.* build dist
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -f $(CATALOGUES)
