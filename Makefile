# A fresh machine needs python3 (3.11 or later) and a package index; nothing else.
PYTHON ?= python3
BIN := .venv/bin

PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses=8 --dist loadfile
# Instruction sets, from the least that XLA compiles for to the machine's own.
ISAS ?= SSE4_2 AVX AVX2 own

.PHONY: demo test test-isa lint bench clean
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
	$(PYTEST)

# Numbers on other processors: compiled as users' programs are, for each instruction set.
# XLA_FLAGS is part of the keys of compiled programs, so none is taken for another's.
test-isa: .venv/.installed
	for isa in $(ISAS); do \
	  echo "== instruction set: $$isa"; flag="--xla_cpu_max_isa=$$isa"; \
	  [ "$$isa" = own ] && flag=; \
	  XLA_FLAGS="$$XLA_FLAGS $$flag" $(PYTEST) --optimise \
	    tests/selection tests/streaming tests/training || exit 1; \
	done

lint: .venv/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/.bench
	$(BIN)/python -m benchmarks.selection
	$(BIN)/python -m benchmarks.training

clean:
	rm -rf .venv
