# Everything runs in .venv, which the first target makes; a second run installs nothing.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup demo course test test-all verify lab lint mutants notebooks clean

setup: .venv/installed

.venv/installed: requirements.txt constraints.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -c constraints.txt -e '.[grading,dev]'
	touch $@

demo: setup
	$(BIN)/workbook demo

course: build/alone/released
	cd build/alone/student && $(CURDIR)/$(BIN)/jupyter lab progress.ipynb

build/alone/released: .venv/installed course.toml $(shell find assignments exercise_code grading -type f -not -name '*.pyc')
	$(BIN)/workbook release --all --reveal --build build/alone
	touch $@

test: setup
	$(BIN)/python -m pytest -n auto -m ''

test-all: setup
	$(BIN)/python -m pytest -n auto -m '' --depth all

verify: setup
	$(BIN)/python -m pytest -n auto --stamp

lab: setup
	$(BIN)/jupyter lab

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

mutants: setup
	for settings in assignments/*/assignment.toml; do \
	  $(BIN)/workbook mutants "$$(basename "$$(dirname "$$settings")")" --seeds 3 || failed=1; \
	done; exit $${failed:-0}

notebooks: setup
	$(BIN)/python -m pytest -q --depth touch tests/contract/test_notebooks.py tests/contract/test_releases.py

clean:
	rm -rf build .pytest_cache .ruff_cache .mypy_cache .hypothesis *.egg-info
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
