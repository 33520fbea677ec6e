"""The examples in docstrings are run as they are shown."""

import doctest
import importlib
import pkgutil

import pytest

import jaxsel

MODULES = [
    module.name
    for module in pkgutil.walk_packages(jaxsel.__path__, "jaxsel.")
    if not module.name.endswith("__main__")
]


def _examples(name: str) -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = finder.find(importlib.import_module(name))
    return [test for test in found if test.examples]


WITH_EXAMPLES = [name for name in MODULES if _examples(name)]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_docstring_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_examples_are_found() -> None:
    assert len(WITH_EXAMPLES) >= 40
