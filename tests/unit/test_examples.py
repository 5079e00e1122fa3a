"""Every example in a docstring runs."""

from __future__ import annotations

import doctest
import pkgutil
from collections.abc import Iterator
from importlib import import_module

import pytest

import langchain_asi_one


def examples() -> Iterator[doctest.DocTest]:
    found = pkgutil.walk_packages(langchain_asi_one.__path__, "langchain_asi_one.")
    names = [one.name for one in found if not one.name.endswith("__main__")]
    for module in map(import_module, ["langchain_asi_one", *names]):
        yield from doctest.DocTestFinder(exclude_empty=True).find(module)


@pytest.mark.parametrize(
    "example", [one for one in examples() if one.examples], ids=lambda example: example.name
)
def test_example_runs(example: doctest.DocTest) -> None:
    complaints: list[str] = []
    doctest.DocTestRunner(verbose=False).run(example, out=complaints.append)
    assert "".join(complaints) == ""
