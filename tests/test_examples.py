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


# A network, or a selector with all its options: seconds of compilation each.
LONG = (
    "jaxsel.augment.pointwise",
    "jaxsel.augment.randaugment",
    "jaxsel.augment.views",
    "jaxsel.models.resnet",
    "jaxsel.models.vit",
    "jaxsel.models.wide_resnet",
    "jaxsel.selection.probcover",
    "jaxsel.selection.typicality",
    "jaxsel.selection.typiclust",
)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if name in LONG else name
        for name in WITH_EXAMPLES
    ],
)
def test_docstring_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_examples_are_found() -> None:
    assert len(WITH_EXAMPLES) >= 40
