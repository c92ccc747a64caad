# `make app` and `make test` do all of their own set-up; the second time there is nothing left to do.
#
#   PYTHON=/path/to/python3     the Python 3.11 to 3.14 to build .venv with; default: the first that is found
#   PORT=8501                   where `make app` serves
#   TORCH_BACKEND=auto          the build of torch: cpu, cu130, ...; default: the one that fits this machine's GPU driver
#   TORCH_INDEX_URL=https://... a package index to take torch from instead, such as a mirror of PyTorch's own

PYTHON ?=
PORT ?= 8501
TORCH_BACKEND ?=
TORCH_INDEX_URL ?=

VENV := .venv
RUN := $(VENV)/bin/python -m
PIP := $(RUN) pip --disable-pip-version-check
UV := $(VENV)/bin/uv pip install --python $(VENV)/bin/python --torch-backend=$(or $(TORCH_BACKEND),auto) -r requirements.txt
# One test file at a time on each core, and one thread for each; what is timed runs alone.
PYTEST := OMP_NUM_THREADS=1 $(RUN) pytest --numprocesses auto --maxprocesses 8 --dist loadfile
TIMED := tests/app/browser/test_speed.py
TORCH_PINS := $(shell grep -E '^torch(vision)?==' requirements.txt)

# Stamps in .venv: their dates say what is installed already.
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
CHOICE := $(or $(TORCH_INDEX_URL),$(TORCH_BACKEND))
TORCH := $(if $(CHOICE),$(VENV)/.torch-$(shell printf %s '$(CHOICE)' | cksum | cut -d ' ' -f 1))

.DEFAULT_GOAL := help
.PHONY: app test check lint format screenshots clean help

app: $(RUNTIME) ## serve the app on localhost, with the bundled runs
	$(RUN) streamlit run app/main.py --server.address localhost --server.port $(PORT)

test: lint ## everything that CI runs: lint, then all tests, those in a real browser too
	$(VENV)/bin/python tests/chromium.py
	$(RUN) pytest $(TIMED)
	$(PYTEST) --ignore $(TIMED)

check: lint ## while you work: lint and the quick tests, without training and without a browser
	$(PYTEST) -m "not slow and not browser"

lint: $(DEV) ## ruff, pyright and the import arrows
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) pyright
	$(VENV)/bin/lint-imports

format: $(DEV) ## format the code and mend what ruff can mend
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

screenshots: $(DEV) ## draw the pictures of README and docs/ anew, in a real browser
	$(VENV)/bin/python tests/chromium.py
	$(RUN) tests.screenshots

clean: ## remove the virtual environment and all caches; runs stay
	rm -rf $(VENV) build hlcore.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find app hlcore tests -name __pycache__ -prune -exec rm -rf {} +

help: ## this list
	@grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /|/' | awk -F '|' '{ printf "make %-11s %s\n", $$1, $$2 }'

$(VENV)/bin/pip:
	@found=; for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python3.14); do \
	    if $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null; then \
	        found=$$python; break; \
	    fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo "No Python 3.11 to 3.14 found; name one: make PYTHON=/path/to/python3 ..." >&2; exit 1; \
	fi; \
	if ! $$found -c 'import ensurepip' 2>/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get -q update && apt-get -qy install --no-install-recommends python3-venv; \
	fi; \
	if ! $$found -c 'import ensurepip' 2>/dev/null; then \
	    echo "$$found cannot make virtual environments; on Debian and Ubuntu: sudo apt install python3-venv" >&2; exit 1; \
	fi; \
	echo "Setting up $(VENV) with $$($$found --version)"; \
	$$found -m venv $(VENV)

$(RUNTIME): requirements.txt requirements-uv.txt pyproject.toml $(TORCH) | $(VENV)/bin/pip
ifeq ($(TORCH_INDEX_URL),)
# Installing for show tells within seconds whether PyTorch's index, which uv takes torch from, can be reached.
	@if $(PIP) install --quiet -r requirements-uv.txt 2>/dev/null \
	    && UV_HTTP_RETRIES=1 $(UV) --quiet --dry-run 2>/dev/null; then \
	    set -x; $(UV) $(if $(TORCH_BACKEND),--reinstall-package torch --reinstall-package torchvision); \
	else \
	    echo "uv cannot reach PyTorch's package index; pip installs torch from its own."; \
	    set -x; $(PIP) install -r requirements.txt; \
	fi
else
	$(PIP) install -r requirements.txt
endif
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements-dev.txt $(RUNTIME)
	$(PIP) install -r requirements-dev.txt
	@touch $@

# The choice of torch, when one is made. From an index, torch comes first and by itself: pip then keeps it.
$(VENV)/.torch-%: requirements.txt | $(VENV)/bin/pip
ifneq ($(TORCH_INDEX_URL),)
	$(PIP) install --force-reinstall --no-deps --index-url $(TORCH_INDEX_URL) $(TORCH_PINS)
endif
	@rm -f $(VENV)/.torch-*
	@touch $@
