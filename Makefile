# `make` lists what there is. Everything runs in .venv, which is filled from the pinned requirements in two stages: the
# program (`make demo` needs no more), then the tools and tests.

SHELL = /bin/sh
.DEFAULT_GOAL = help
.DELETE_ON_ERROR:
.SUFFIXES:

VENV = .venv
BIN = $(VENV)/bin
# What the program is for: base (a station), central, postgresql (central with that database), demo (the first two and
# the demonstration).
PINS = demo
PROGRAM_STAMP = $(VENV)/installed-$(PINS)
STAMP = $(VENV)/installed-dev
PACKAGES = station ui drivers offline_cache config central
CODE = $(PACKAGES) tests tools
CATALOGUES = $(patsubst %.po,%.mo,$(wildcard ui/locale/*/LC_MESSAGES/*.po central/office/locale/*/LC_MESSAGES/*.po))
# Old pips would warn that a later one understands --no-binary differently, which changes nothing here.
PIP = $(BIN)/python -W ignore -m pip --disable-pip-version-check --quiet
# Nothing is resolved: a file of pins is complete, or the tests fail (docs/decisions/09-requirements-with-hashes.md).
# The one requirement of `demo` that comes as source only is built by the pinned requirements/build.txt; the others run
# no code.
INSTALL_PINS = $(PIP) install --no-deps --require-hashes --only-binary=:all: --no-binary=crcmod --use-pep517 \
    --no-build-isolation
CHECK_PINS = $(PIP) check || { echo "packages in $(VENV) do not fit together: make clean, then again" >&2; exit 1; }
# More than cores: most of a test is waiting for a line, a screen or a server.
JOBS = 3
# The tests of what decides: alone they cover it whole, and counting coverage makes Python three times as slow.
DECIDES = tests/rules tests/visit tests/display tests/records
DEMO_ARGS =
RUN_ARGS =
BENCH_ARGS =
LOAD_ARGS =
PYTEST_ARGS =

# Empty folders of packages yet to come must not fail a tool that is given them.
existing = $(foreach package,$(1),$(if $(wildcard $(package)/*.py $(package)/*/*.py),$(package)))

.PHONY: help
help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

.PHONY: install
install: $(STAMP) $(CATALOGUES) ## fill .venv with all that is pinned, and this project

.PHONY: install-program
install-program: $(PROGRAM_STAMP) $(CATALOGUES) ## fill .venv with what the program needs (PINS=base: only a station, PINS=central: a server)

# The interpreter of .venv is a link: when the Python behind it goes or changes, .venv is made anew.
$(BIN)/python:
	@for python in $(PYTHON) python3.11 python3 python3.12 python3.13 python3.14; do \
	    if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        $$python -m venv --clear $(VENV); exit; \
	    fi; \
	done; echo "Python 3.11 or newer with venv is needed; on Debian: apt install python3-venv" >&2; exit 1

$(PROGRAM_STAMP): $(BIN)/python requirements/build.txt requirements/$(PINS).txt pyproject.toml
	@echo "installing the program into $(VENV) (once; a minute or two on a slow network)"
	@$(INSTALL_PINS) -r requirements/build.txt
	@$(INSTALL_PINS) -r requirements/$(PINS).txt
	@$(PIP) install --no-deps --no-index --no-build-isolation --editable .
	@$(CHECK_PINS)
	@$(BIN)/python -m compileall -q $(call existing,$(PACKAGES))
	@touch $@

$(STAMP): $(PROGRAM_STAMP) requirements/dev.txt
	@echo "installing tools and tests into $(VENV) (once; some minutes on a slow network)"
	@$(INSTALL_PINS) -r requirements/dev.txt
	@$(CHECK_PINS)
	@touch $@

%.mo: %.po | $(PROGRAM_STAMP)
	@$(BIN)/pybabel --quiet compile --statistics -i $< -o $@

.PHONY: demo
demo: install-program ## everything on this machine: central, station, emulated keys (DEMO_ARGS="--language sv")
	@$(BIN)/station demo $(DEMO_ARGS)

.PHONY: run
run: install-program ## the kiosk, as station.toml says (RUN_ARGS="--config FILE")
	@$(BIN)/station run $(RUN_ARGS)

.PHONY: lint
lint: install ## format, lint, types and the direction of imports
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

.PHONY: check
check: install ## lint, and beside it the quicker tests of what decides: under a minute
	@$(MAKE) --no-print-directory -j 2 --output-sync lint quick

.PHONY: quick
quick: install
	$(BIN)/python -m pytest -q -m "not slow and not nightly" $(DECIDES) $(PYTEST_ARGS)

.PHONY: test
test: install ## every test but the nightly ones, and the coverage of what decides
	$(BIN)/python -m pytest -n $(JOBS) --cov --cov-report= $(DECIDES) $(PYTEST_ARGS)
	$(BIN)/coverage report --include='station/rules/*,station/visit/*,station/display/*,station/records/*' --fail-under=100
	$(BIN)/python -m pytest -n $(JOBS) -m "not nightly" $(addprefix --ignore=,$(DECIDES)) $(PYTEST_ARGS)

.PHONY: test-full
test-full: install ## as test, with ten times the examples of the searching tests and of the soak
	HYPOTHESIS_PROFILE=full $(MAKE) test

.PHONY: bench
bench: install ## how fast a station is on this machine (BENCH_ARGS="--quick --json")
	@$(BIN)/python -m tools.bench $(BENCH_ARGS)

.PHONY: load
load: install ## central under a morning's load, with PostgreSQL (LOAD_ARGS="--size L", "find", "explain --size L", "waiting", "--proxy")
	@$(BIN)/python -m tools.load $(LOAD_ARGS)

SIMULATION_ARGS = --seeds 5000
.PHONY: test-nightly
test-nightly: install ## the nightly tests, more of the searching ones, and thousands of simulated sites (SIMULATION_ARGS="--seeds 500")
	$(BIN)/python -m pytest -n $(JOBS) -m nightly $(PYTEST_ARGS)
	HYPOTHESIS_PROFILE=full $(BIN)/python -m pytest -n $(JOBS) tests/system/test_killed.py $(PYTEST_ARGS)
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
pictures: install ## draw the screens that pages show in docs/pictures, and all in every language in build/pictures
	@$(BIN)/python -m tools.pictures

.PHONY: pictures-office
pictures-office: install ## draw the office's daily pages in docs/pictures anew, in a real browser
	@OFFICE_PICTURES=docs/pictures $(BIN)/python -m pytest -q tests/office/test_browser.py

DIST_SOURCE = build/dist
.PHONY: dist
dist: install ## sdist, wheel, bill of materials and checksums of the last commit, into dist/
	@rm -rf $(DIST_SOURCE) dist
	@mkdir -p $(DIST_SOURCE) dist
	@git diff --quiet HEAD || echo "only what is committed is built" >&2
	@git archive --output=build/dist.tar HEAD
	@tar -xf build/dist.tar -C $(DIST_SOURCE)
	@$(BIN)/pybabel --quiet compile --directory=$(DIST_SOURCE)/ui/locale --domain=ui
	@$(BIN)/pybabel --quiet compile --directory=$(DIST_SOURCE)/central/office/locale --domain=django
	@export SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) && cd $(DIST_SOURCE) && \
	    $(abspath $(BIN))/python -m hatchling build --directory $(CURDIR)/dist >/dev/null && \
	    $(abspath $(BIN))/python -m tools.bill_of_materials $(CURDIR)/dist
	@cd dist && sums=$$(sha256sum -- *) && echo "$$sums" | tee SHA256SUMS

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
