"""The public names: what each public module exports, and how many there are."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import Final

import pytest

import langchain_asi_one
from tests.support.public import PUBLIC_MODULES

NOT_TO_IMPORT_FROM: Final = (
    "langchain_asi_one.chat_models",  # its class is in the package itself
    "langchain_asi_one.langgraph.example",  # a graph to look at and to run
)
MOST_NAMES: Final = 50
# With an extra of its own, for those who ask agents: nobody else has to know its names.
APART: Final = "langchain_asi_one.agents"
MOST_NAMES_APART: Final = 12


def test_the_public_modules_are_those_without_an_underscore() -> None:
    found = pkgutil.walk_packages(langchain_asi_one.__path__, "langchain_asi_one.")
    public = {one.name for one in found if "._" not in one.name}
    assert {"langchain_asi_one", *public} == {*PUBLIC_MODULES, *NOT_TO_IMPORT_FROM}


@pytest.mark.parametrize("name", PUBLIC_MODULES)
def test_a_module_exports_what_it_names(name: str) -> None:
    module = import_module(name)
    assert len(module.__all__) == len(set(module.__all__))
    assert [one for one in module.__all__ if not hasattr(module, one)] == []
    assert {*module.__all__} <= {*dir(module)}, "dir() serves completion"


def test_a_reader_can_know_all_public_names() -> None:
    names = {
        id(getattr(module, name)): f"{module.__name__}.{name}"
        for module in map(import_module, PUBLIC_MODULES)
        for name in module.__all__
        if name != "__version__" and module.__name__ != APART
    }
    assert len(names) <= MOST_NAMES, "\n".join(sorted(names.values()))
    assert len(import_module(APART).__all__) <= MOST_NAMES_APART
