# `make app` and `make test` install what they need; the second time nothing is left to install.
#
#   PYTHON=/path/to/python3     the Python (3.11 to 3.14) for .venv; default: the first one found
#   PORT=8501                   the port of `make app`
#   TORCH_BACKEND=auto          the build of torch: cpu, cu130, ...; default: the one for this machine's GPU driver
#   TORCH_INDEX_URL=https://... another package index for torch, such as a mirror of PyTorch's

PYTHON ?=
PORT ?= 8501
TORCH_BACKEND ?=
TORCH_INDEX_URL ?=

VENV := .venv
RUN := $(VENV)/bin/python -m
PIP := $(RUN) pip --disable-pip-version-check
UV := $(VENV)/bin/uv pip install --python $(VENV)/bin/python --torch-backend=$(or $(TORCH_BACKEND),auto) -r requirements.txt
# Each worker runs one test file at a time, with one thread. Compiled tests are kept, even where compiled files are not.
PYTEST := PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 \
    $(RUN) pytest --numprocesses auto --dist loadfile --no-loadscope-reorder
TORCH_PINS := $(shell grep -E '^torch(vision)?==' requirements.txt)

# Stamp files in .venv: their dates show what is already installed.
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
CHOICE := $(or $(TORCH_INDEX_URL),$(TORCH_BACKEND))
TORCH := $(if $(CHOICE),$(VENV)/.torch-$(shell printf %s '$(CHOICE)' | cksum | cut -d ' ' -f 1))

.DEFAULT_GOAL := help
.PHONY: app test all-tests check quick-tests lint format lock bench screenshots clean help

app: $(RUNTIME) ## serve the app on localhost, with the bundled runs
	$(RUN) streamlit run app/server.py --server.address localhost --server.port $(PORT)

test: $(DEV) ## run everything that CI runs: lint and all tests, including those in a real browser
	$(VENV)/bin/python tests/chromium.py
	$(MAKE) --no-print-directory --jobs 2 lint all-tests

all-tests: $(DEV)
	$(PYTEST)

check: $(DEV) ## run the checks while you work: lint and the quick tests, without training or a browser
	$(MAKE) --no-print-directory --jobs 2 lint quick-tests

quick-tests: $(DEV)
	$(PYTEST) -m "not slow and not browser"

lint: $(DEV) ## run ruff, pyright, the import rules and the check of licences
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) pyright
	$(VENV)/bin/lint-imports
	$(RUN) tests.licences

format: $(DEV) ## format the code and fix what ruff can fix
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

lock: $(DEV) ## update the hashes and licences after a change of requirements.txt
	$(VENV)/bin/uv pip compile --quiet --universal --no-deps --generate-hashes --no-annotate --no-header --python-version 3.11 \
	    --no-emit-package torch --no-emit-package torchvision --output-file requirements-hashes.txt \
	    requirements.txt requirements-uv.txt
	$(RUN) tests.licences --write

bench: $(DEV) ## measure how fast everything is, and write docs/performance.md
	$(RUN) benchmarks.performance

screenshots: $(DEV) ## update the screenshots of README and docs/, in a real browser
	$(VENV)/bin/python tests/chromium.py
	$(RUN) tests.screenshots

clean: ## remove the virtual environment and all caches, but no runs
	rm -rf $(VENV) build hlcore.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find app hlcore tests -name __pycache__ -prune -exec rm -rf {} +

help: ## show this list
	@grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /|/' | awk -F '|' '{ printf "make %-11s %s\n", $$1, $$2 }'

$(VENV)/bin/pip:
	@found=; for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python3.14); do \
	    if $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null; then \
	        found=$$python; break; \
	    fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo "No Python 3.11 to 3.14 found; set one: make PYTHON=/path/to/python3 ..." >&2; exit 1; \
	fi; \
	if ! $$found -c 'import ensurepip' 2>/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get -q update && apt-get -qy install --no-install-recommends python3-venv; \
	fi; \
	if ! $$found -c 'import ensurepip' 2>/dev/null; then \
	    echo "$$found cannot create virtual environments; on Debian and Ubuntu: sudo apt install python3-venv" >&2; exit 1; \
	fi; \
	echo "Setting up $(VENV) with $$($$found --version)"; \
	$$found -m venv $(VENV)

$(RUNTIME): requirements.txt requirements-uv.txt pyproject.toml $(TORCH) | $(VENV)/bin/pip
ifeq ($(TORCH_INDEX_URL),)
# A dry run shows within seconds whether uv finds torch in PyTorch's index, or whether the backend has a wrong name.
	@if ! $(PIP) install --quiet -r requirements-uv.txt 2>/dev/null; then \
	    failure="no uv"; \
	else \
	    failure=$$(UV_HTTP_RETRIES=1 $(UV) --quiet --dry-run 2>&1 >/dev/null) && failure=; \
	fi; \
	case "$$failure" in \
	    "") set -x; $(UV) $(if $(TORCH_BACKEND),--reinstall-package torch --reinstall-package torchvision) ;; \
	    *"invalid value"*) echo "$$failure" >&2; exit 1 ;; \
	    *) echo "uv does not find torch in PyTorch's package index; pip takes it from its own, whichever build that has."; \
	        set -x; $(PIP) install -r requirements.txt ;; \
	esac
else
	$(PIP) install -r requirements.txt
endif
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements-dev.txt $(RUNTIME)
	$(PIP) install -r requirements-dev.txt
	@touch $@

# Stamp of the chosen torch build, if any. With an index, torch is installed first and alone, so pip keeps it.
$(VENV)/.torch-%: requirements.txt | $(VENV)/bin/pip
ifneq ($(TORCH_INDEX_URL),)
	$(PIP) install --force-reinstall --no-deps --index-url $(TORCH_INDEX_URL) $(TORCH_PINS)
endif
	@rm -f $(VENV)/.torch-*
	@touch $@
