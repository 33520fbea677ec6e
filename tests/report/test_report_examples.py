"""The examples in the docstrings of evaluation and report are true."""

import doctest
import importlib
import pkgutil

import pytest

import jaxsel.evaluation
import jaxsel.report

MODULES = [
    module.name
    for package in (jaxsel.evaluation, jaxsel.report)
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
]


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [
        test
        for name in MODULES
        for test in finder.find(importlib.import_module(name))
        if test.examples
    ]
    assert len(found) >= 10
