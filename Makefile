# Two commands matter: `make demo` and `make test`. Both install what they need.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test test-all lint bench clean system

demo: $(VENV)/installed system
	$(BIN)/falsework make examples/lyon_corner/shot.toml

test: $(VENV)/installed-dev system
	$(BIN)/python -m pytest -n 2 -m "not slow"

test-all: $(VENV)/installed-dev system
	$(BIN)/python -m pytest -n 2

lint: $(VENV)/installed-dev
	$(BIN)/ruff check src tests bench
	$(BIN)/ruff format --check src tests bench
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/installed-dev system
	$(BIN)/python bench/stages.py examples/lyon_corner/shot.toml

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable ".[rights]"
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $@

# Rendering needs an OpenGL driver that works without a screen.
system:
	@if ldconfig -p | grep -q libEGL.so.1 && ls /usr/lib/*/dri/*_dri.so >/dev/null 2>&1; then :; \
	elif [ "$$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -y -qq libegl1 libgl1-mesa-dri; \
	elif command -v sudo >/dev/null; then sudo apt-get update -qq && sudo apt-get install -y -qq libegl1 libgl1-mesa-dri; \
	else echo "OpenGL is missing: ask an administrator to run 'apt-get install libegl1 libgl1-mesa-dri'" >&2; exit 2; fi
	@# The clearance report's PDF wants Pango; without it there are the page and the JSON.
	@if ldconfig -p | grep -q libpangoft2-1.0.so.0 || [ "$$(id -u)" != 0 ]; then :; \
	else apt-get install -y -qq libpango-1.0-0 libpangoft2-1.0-0 || echo "no Pango: no PDF of the report" >&2; fi

clean:
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache
