# Every target first makes .venv, and makes it again only when what is required has changed.
PYTHON ?= python3
VENV   ?= .venv
PY     := $(VENV)/bin/python
RUN    := $(VENV)/.run-installed
DEV    := $(VENV)/.dev-installed
COMPONENT := explorer/component
NODE      := $(COMPONENT)/node_modules/.package-lock.json
# Two workers, one file of tests each; PYTEST_ARGS="-n 0 -x tests/cli" runs a part.
PYTEST_ARGS ?= -n 2 --dist loadfile

# With COVERAGE=1 the tests also print which part of the library they reach; make test-slow adds to that of make test.
COVERAGE ?=
COVER    := $(if $(COVERAGE),--cov --cov-report=term:skip-covered)

.PHONY: app test test-slow coverage check docs component component-check bench bench-drag clean

app: $(RUN)
	@echo "Starting the app on this machine; the first page takes some seconds." >&2
	@$(PY) -m explorer app

test: $(DEV)
	@echo "Running the tests that are not slow: about 8 minutes on two quiet cores." >&2
	@OMP_NUM_THREADS=1 $(PY) -m pytest -m "not slow" $(COVER) $(PYTEST_ARGS)

test-slow: $(DEV)
	@echo "Running the slow tests, most of them in a real browser: about 25 minutes on two quiet cores." >&2
	@OMP_NUM_THREADS=1 $(PY) -m pytest -m slow $(COVER) $(if $(COVERAGE),--cov-append) $(PYTEST_ARGS)

coverage:
	@$(MAKE) --no-print-directory test test-slow COVERAGE=1

check: $(DEV)
	@echo "Checking style and types: about a minute." >&2
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory component-check; \
	else echo "Not checked: the types and the style of explorer/component (npm is not installed)." >&2; fi

# What the browser runs is committed; Node is needed to change it only.
component: $(NODE)
	npm run --silent --prefix $(COMPONENT) build

component-check: $(NODE)
	npm run --silent --prefix $(COMPONENT) check
	npm test --silent --prefix $(COMPONENT)

docs: $(DEV)
	@echo "Building the documentation into site/: about a minute; its small curves are measured on the way." >&2
	@NO_MKDOCS_2_WARNING=1 OMP_NUM_THREADS=1 $(PY) -m mkdocs build --strict --quiet
	@echo "Open site/index.html, or serve the folder; it asks no other server for anything." >&2

bench-drag: $(DEV)
	@$(PY) -m benchmarks.drag

bench: $(DEV)
	@set -e; for script in benchmarks/[a-z]*.py; do $(PY) -m benchmarks.$$(basename $$script .py); done

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .coverage

$(NODE): $(COMPONENT)/package-lock.json
	@npm ci --silent --no-audit --no-fund --prefix $(COMPONENT)
	@touch $@

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed, and $(PYTHON) is older or absent. Run: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV)

$(RUN): requirements.txt | $(PY)
	@echo "Installing what requirements.txt names into $(VENV) (some minutes the first time) ..." >&2
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(DEV): requirements-dev.txt requirements-export.txt $(RUN)
	@echo "Installing what requirements-dev.txt names into $(VENV) ..." >&2
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
