# A fresh machine needs python3 (3.11 or later) and a package index; nothing else.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint bench clean
.DEFAULT_GOAL := demo

# The stamp makes a second call reinstall nothing until the requirements change.
.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

.venv/.bench: .venv/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,bench]'
	touch $@

demo: .venv/.installed
	$(BIN)/python -m jaxsel.main --config configs/digits.py --workdir runs/digits

test: .venv/.installed
	$(BIN)/python -m pytest -n auto --maxprocesses=8 --dist loadfile

lint: .venv/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/.bench
	$(BIN)/python -m benchmarks.selection
	$(BIN)/python -m benchmarks.training

clean:
	rm -rf .venv
