"""Every public name tells what it takes, gives and raises, and every example runs."""

from __future__ import annotations

import ast
import dataclasses
import doctest
import importlib
import inspect
import pkgutil
import re
import textwrap
from collections.abc import Iterator
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Final, get_type_hints

import pytest

import langchain_asi_one
from langchain_asi_one import ChatASIOne

PUBLIC_MODULES: Final = (
    "langchain_asi_one",
    "langchain_asi_one.display",
    "langchain_asi_one.errors",
    "langchain_asi_one.executable_data",
    "langchain_asi_one.follow_up",
    "langchain_asi_one.langgraph",
    "langchain_asi_one.middleware",
    "langchain_asi_one.testing",
)

# Names that stand on what ASI:One's documentation, a recording or a client says, and must say so.
WIRE_FACTS: Final = {
    "langchain_asi_one.ChatASIOne",
    "langchain_asi_one.ExecutableEntry",
    "langchain_asi_one.errors.ASIOneBadRequestError",
    "langchain_asi_one.errors.ASIOneRateLimitError",
    "langchain_asi_one.errors.ASIOneStatusError",
    "langchain_asi_one.errors.ASIOneUnprocessableError",
    "langchain_asi_one.errors.IncompleteStreamError",
    "langchain_asi_one.follow_up.is_deferred",
    "langchain_asi_one.follow_up.with_follow_up",
    "langchain_asi_one.get_executable_data",
    "langchain_asi_one.is_agent_address",
    "langchain_asi_one.parse_executable_data",
}

_SECTION: Final = re.compile(r"^([A-Z][a-z]+):$\n((?:^(?: {4}.*)?$\n?)*)", re.MULTILINE)
_ENTRY: Final = re.compile(r"^ {4}(\*{0,2}\w+)(?: \(.+\))?:", re.MULTILINE)
_SAME_AS: Final = re.compile(r"\b(?:Do as|Async version of) `(\w+)`")


@cache
def modules() -> tuple[ModuleType, ...]:
    found = pkgutil.walk_packages(langchain_asi_one.__path__, "langchain_asi_one.")
    names = [one.name for one in found if not one.name.endswith("__main__")]
    return (langchain_asi_one, *map(importlib.import_module, names))


@cache
def value_docstrings() -> dict[tuple[str, str], str]:
    """The docstrings below values, which exist in the source only, by module and name."""
    found: dict[tuple[str, str], str] = {}
    for module in modules():
        body = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8")).body
        for statement, below in pairwise(body):
            target = (
                statement.target
                if isinstance(statement, ast.AnnAssign)
                else statement.targets[0]
                if isinstance(statement, ast.Assign)
                else None
            )
            if (
                isinstance(target, ast.Name)
                and isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
                and isinstance(below.value.value, str)
            ):
                found[module.__name__, target.id] = inspect.cleandoc(below.value.value)
    return found


def docstring_of_value(name: str, value: object) -> str:
    # A value may be defined elsewhere and only be passed on: it is the same object there.
    for (module, own_name), text in value_docstrings().items():
        if own_name == name and vars(importlib.import_module(module)).get(name) is value:
            return text
    return ""


@dataclasses.dataclass(frozen=True)
class Subject:
    """A public name, or a public member of a public class."""

    path: str
    value: Any
    owner: type | None = None

    def __str__(self) -> str:
        return self.path.removeprefix("langchain_asi_one.")

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]

    @property
    def function(self) -> FunctionType | None:
        value = self.value
        value = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        value = inspect.unwrap(value) if callable(value) else value
        return value if isinstance(value, FunctionType) else None

    @cached_property
    def docstring(self) -> str:
        if inspect.isclass(self.value):
            return inspect.cleandoc(vars(self.value).get("__doc__") or "")
        if self.function is None:
            return docstring_of_value(self.name, self.value)
        return inspect.cleandoc(self.function.__doc__ or "")

    @cached_property
    def sections(self) -> dict[str, str]:
        return dict(_SECTION.findall(f"{self.docstring}\n"))

    @property
    def same_as(self) -> Subject | None:
        """What this does the same as, by its own words, if it takes the same."""
        said = _SAME_AS.search(self.docstring)
        if said is None or self.owner is None:
            return None
        other = Subject(f"{self.path.rpartition('.')[0]}.{said[1]}", vars(self.owner)[said[1]])
        return other if other.parameters == self.parameters else None

    @property
    def parameters(self) -> list[str]:
        made = self.value if inspect.isclass(self.value) else self.function
        if isinstance(made, type):
            return class_parameters(made)
        return names_taken(made) if made is not None else []

    @property
    def returns(self) -> bool:
        if self.function is None or isinstance(self.value, property):
            return False
        return self.function.__annotations__.get("return") not in (None, "None")

    @property
    def raised(self) -> set[str]:
        """The classes that its own code, or a check that it calls, raises by name."""
        code: Any = self.function
        if inspect.isclass(self.value):
            own = (vars(self.value).get(name) for name in ("__init__", "__post_init__"))
            code = next((one for one in own if hasattr(one, "__code__")), None)
            if code is not None and not code.__code__.co_filename.startswith(_PACKAGE):
                code = None  # made by `dataclass`
        return raised_by(code) if isinstance(code, FunctionType) else set()


_PACKAGE: Final = str(Path(str(langchain_asi_one.__file__)).parent)


def names_taken(function: Any) -> list[str]:
    marks: dict[object, str] = {
        inspect.Parameter.VAR_POSITIONAL: "*",
        inspect.Parameter.VAR_KEYWORD: "**",
    }
    signature = inspect.signature(function, follow_wrapped=False)
    taken = [marks.get(one.kind, "") + one.name for one in signature.parameters.values()]
    return [name for name in taken if name not in ("self", "cls")]


def class_parameters(made: type) -> list[str]:
    if made is ChatASIOne:
        fields = ((field, ChatASIOne.model_fields[field]) for field in ChatASIOne._OWN_ARGUMENTS)
        return [field.alias or name for name, field in fields]
    if dataclasses.is_dataclass(made):
        return [field.name for field in dataclasses.fields(made)]
    if hasattr(made, "__total__"):  # a TypedDict
        bases = getattr(made, "__orig_bases__", ())
        inherited = {key for base in bases for key in keys_of(base)}
        return [key for key in get_type_hints(made) if key not in inherited]
    if hasattr(made, "model_fields"):
        own = inspect.get_annotations(made)
        return [name for name in made.model_fields if name in own]
    init = vars(made).get("__init__")
    return names_taken(init) if init is not None else []


def keys_of(base: Any) -> set[str]:
    return set(get_type_hints(base)) if hasattr(base, "__total__") else set()


def raised_by(function: FunctionType, *, checks: bool = True) -> set[str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    found: set[str] = set()
    pending: list[ast.AST] = list(tree.body[0].body) if hasattr(tree.body[0], "body") else []
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            continue  # raised when that is called
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            found |= {node.exc.func.id} if isinstance(node.exc.func, ast.Name) else set()
        if checks and isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            called = function.__globals__.get(node.func.id)
            if isinstance(called, FunctionType) and called.__name__.lstrip("_").startswith("check"):
                found |= raised_by(called)
        pending += ast.iter_child_nodes(node)
    return found


def public_names() -> Iterator[Subject]:
    seen: set[int] = set()
    for module in map(importlib.import_module, PUBLIC_MODULES):
        for name in module.__all__:
            value = getattr(module, name)
            if id(value) not in seen:
                seen.add(id(value))
                yield Subject(f"{module.__name__}.{name}", value)


def members() -> Iterator[Subject]:
    """The public members that the classes define; an override without words is LangChain's."""
    for subject in public_names():
        if not inspect.isclass(subject.value) or keys_of(subject.value):
            continue
        for name, value in vars(subject.value).items():
            member = Subject(f"{subject.path}.{name}", value, subject.value)
            function = member.function
            if name.startswith("_") or function is None:
                continue
            if not function.__code__.co_filename.startswith(_PACKAGE):
                continue  # made by pydantic
            if function.__doc__ or not getattr(function, "__override__", False):
                yield member


ALL: Final = [*public_names(), *members()]


@pytest.mark.parametrize("subject", ALL, ids=str)
def test_docstring_has_the_sections_that_the_code_calls_for(subject: Subject) -> None:
    text = subject.docstring
    assert text, "no docstring"
    told = subject.same_as or subject
    arguments, attributes = (
        set(_ENTRY.findall(told.sections.get(title, ""))) for title in ("Args", "Attributes")
    )
    assert set(subject.parameters) - arguments - attributes == set(), "taken and not told"
    assert arguments - set(subject.parameters) == set(), "told and not taken"
    if subject.returns:
        assert "Returns" in told.sections or "Yields" in told.sections, "no Returns"
    missing = [one for one in subject.raised if one not in told.sections.get("Raises", "")]
    assert missing == [], "raised and not told"


@pytest.mark.parametrize(
    "subject",
    [one for one in ALL if one.owner in (None, ChatASIOne)],
    ids=str,
)
def test_docstring_has_an_example(subject: Subject) -> None:
    assert ">>> " in subject.sections.get("Example", "")


@pytest.mark.parametrize(
    "subject", [one for one in ALL if one.path in WIRE_FACTS], ids=lambda subject: subject.name
)
def test_docstring_names_the_source_of_the_wire_fact(subject: Subject) -> None:
    assert "Source" in subject.sections


def test_names_with_wire_facts_are_public() -> None:
    assert {one.path for one in ALL} >= WIRE_FACTS


def examples() -> Iterator[doctest.DocTest]:
    finder, parser = doctest.DocTestFinder(exclude_empty=True), doctest.DocTestParser()
    for module in modules():
        yield from (one for one in finder.find(module) if one.examples)
    for (module_name, name), text in value_docstrings().items():
        namespace = dict(vars(importlib.import_module(module_name)))
        found = parser.get_doctest(text, namespace, f"{module_name}.{name}", None, None)
        if found.examples:
            yield found


@pytest.mark.parametrize("example", list(examples()), ids=lambda example: example.name)
def test_example_runs(example: doctest.DocTest) -> None:
    told: list[str] = []
    doctest.DocTestRunner(verbose=False).run(example, out=told.append)
    assert "".join(told) == ""
