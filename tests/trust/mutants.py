"""Change one thing in a module and run the module's own tests: do they notice?

::

    python -m tests.trust.mutants [MODULE ...] [--sample 20] [--seconds 600]

A module is given by its path in the package, such as `_response/reader`; its own tests are those
that carry its name (`tests/unit/response/test_reader*.py`). Each mutant runs in a process of its
own. Survivors are printed as they are found; the last line is JSON.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

import pytest
from hypothesis import settings

ROOT: Final = Path(__file__).parents[2]
PACKAGE: Final = "langchain_asi_one"
# Pure modules whose names tests carry. What opens sockets is judged by the faults and the soak.
MODULES: Final = (
    *("_json/safe", "_json/tool_arguments", "_json/partial", "_json/printable"),
    *("_request/messages", "_request/parameters", "_request/session"),
    *("_response/reader", "_response/reasoning", "_response/tool_calls", "_response/chunk_sum"),
    *("_response/leaked_tool_calls", "_response/content_blocks", "_response/images"),
    *("_transport/sse", "_follow_up/rule", "_follow_up/progress"),
    *("executable_data", "langgraph/_allow"),
)
_CPU_SECONDS: Final = 60
_EXAMPLES: Final = 40

_COMPARISONS: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
}


class Mutant(NamedTuple):
    """A module with one change."""

    module: str
    line: int
    change: str
    source: str


class _Mutator(ast.NodeTransformer):
    """Counts the places that can be changed, and changes that of the number `chosen`."""

    def __init__(self, chosen: int | None = None) -> None:
        self._chosen = chosen
        self.places = 0
        self.line = 0
        self.change = ""

    def _offer(self, node: ast.AST, make: Callable[[], ast.AST]) -> ast.AST:
        """Return the node, or what `make` makes of it if this is the chosen place."""
        number, self.places = self.places, self.places + 1
        if number != self._chosen:
            return node
        self.line = getattr(node, "lineno", 0)
        before = ast.unparse(node).partition("\n")[0]
        made = ast.fix_missing_locations(ast.copy_location(make(), node))
        self.change = f"{before} -> {ast.unparse(made).partition(chr(10))[0]}"
        return made

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        first, *others = node.ops
        if type(first) not in _COMPARISONS:
            return node
        swapped = _COMPARISONS[type(first)]()
        return self._offer(
            node, lambda: ast.Compare(node.left, [swapped, *others], node.comparators)
        )

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        swapped = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        offered = self._offer(node, lambda: ast.BoolOp(swapped, node.values))
        if offered is not node:
            return offered
        for number in range(len(node.values)):
            kept = [value for place, value in enumerate(node.values) if place != number]
            short = kept[0] if len(kept) == 1 else ast.BoolOp(node.op, kept)
            offered = self._offer(node, lambda short=short: short)  # type: ignore[misc]
            if offered is not node:
                return offered
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return self._offer(node, lambda: node.operand) if isinstance(node.op, ast.Not) else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        swapped = _ARITHMETIC.get(type(node.op))
        if swapped is None:
            return node
        return self._offer(node, lambda: ast.BinOp(node.left, swapped(), node.right))

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        value = node.value
        if isinstance(value, bool):
            return self._offer(node, lambda: ast.Constant(not value))
        if isinstance(value, int):
            return self._offer(node, lambda: ast.Constant(value + 1))
        if isinstance(value, str) and " " not in value:  # prose is no behaviour
            return self._offer(node, lambda: ast.Constant(f"{value}X"))
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        self.generic_visit(node)
        if node.value is None or (isinstance(node.value, ast.Constant) and not node.value.value):
            return node  # None, False or "" would be as false
        return self._offer(node, lambda: ast.Return(ast.Constant(None)))

    def visit_If(self, node: ast.If) -> ast.AST:
        if "TYPE_CHECKING" in ast.unparse(node.test):
            return node
        self.generic_visit(node)
        negated = ast.UnaryOp(ast.Not(), node.test)
        return self._offer(node, lambda: ast.If(negated, node.body, node.orelse))

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        return self._offer(node, lambda: ast.IfExp(node.test, node.orelse, node.body))

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        if isinstance(node.value, ast.Constant):
            return node  # a docstring
        self.generic_visit(node)
        is_log = ast.unparse(node).startswith("logger.")
        return (
            self._offer(node, ast.Pass) if isinstance(node.value, ast.Call) and not is_log else node
        )

    def visit_Continue(self, node: ast.Continue) -> ast.AST:
        return self._offer(node, ast.Break)

    def visit_Break(self, node: ast.Break) -> ast.AST:
        return self._offer(node, ast.Continue)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        return self._offer(node, ast.Pass)  # what is raised is mostly prose

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return node  # prose, or a pattern

    # Types, messages and lists of names are no behaviour.
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.body = [self.visit(statement) for statement in node.body]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        names = {target.id for target in node.targets if isinstance(target, ast.Name)}
        return node if names & {"__all__", "msg", "message"} else self.generic_visit(node)


def list_mutants(module: str, sample: int) -> list[Mutant]:
    """Choose mutants of a module, the same ones for the same source."""
    source = (ROOT / PACKAGE / f"{module}.py").read_text(encoding="utf-8")
    counter = _Mutator()
    counter.visit(ast.parse(source))
    chosen = random.Random(module).sample(range(counter.places), min(sample, counter.places))
    mutants = []
    for number in sorted(chosen):
        mutator = _Mutator(number)
        tree = mutator.visit(ast.parse(source))
        mutants.append(Mutant(module, mutator.line, mutator.change, ast.unparse(tree)))
    return mutants


def find_tests(module: str) -> list[str]:
    """Return the test files that carry the name of a module."""
    room, _, name = module.rpartition("/")
    folder = ROOT / "tests" / "unit" / room.lstrip("_")
    return sorted(map(str, folder.glob(f"test_{name.lstrip('_')}*.py")))


class _Swap(MetaPathFinder, Loader):
    """Imports a module from a text instead of its file."""

    def __init__(self, module: str, source: str) -> None:
        self._name = f"{PACKAGE}.{module.replace('/', '.')}"
        self._path = str(ROOT / PACKAGE / f"{module}.py")
        self._source = source

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        return spec_from_file_location(fullname, self._path, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._source, self._path, "exec", dont_inherit=True), vars(module))  # noqa: S102


class _FewExamples:
    """A pytest plugin: properties try few examples, and write none down."""

    def pytest_sessionstart(self) -> None:
        profile = settings(settings.get_profile("everyday"), max_examples=_EXAMPLES, database=None)
        settings.register_profile("mutants", profile)
        settings.load_profile("mutants")


def start_tests(module: str, source: str) -> int:
    """Run a module's tests upon a source in a child process, and return its id."""
    child = os.fork()
    if child:
        return child
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (1, 2):
        os.dup2(null, descriptor)
    sys.meta_path.insert(0, _Swap(module, source))
    options = ["-x", "-q", "--tb=no", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:xdist"]
    # Bounds on processor time fail by themselves on a busy machine, so they judge nothing here.
    options += ["-k", "not quadratic and not linear and not time"]
    try:
        status = int(pytest.main([*options, *find_tests(module)], plugins=[_FewExamples()]))
    except BaseException:  # noqa: BLE001 - the mutant has broken more than a test
        status = 1
    os._exit(status)


def survives(module: str, source: str) -> bool:
    """Whether all tests of a module pass upon a source."""
    _, status = os.waitpid(start_tests(module, source), 0)
    return os.waitstatus_to_exitcode(status) == 0


def judge(modules: Sequence[str], sample: int, seconds: float) -> Iterator[tuple[Mutant, bool]]:
    """Yield mutants with whether they survive, module by turns, until the time is over."""
    end = time.monotonic() + seconds
    queues = [list_mutants(module, sample) for module in modules]
    for turn in range(sample):
        for queue in queues:
            if turn < len(queue) and time.monotonic() < end:
                yield queue[turn], survives(queue[turn].module, queue[turn].source)


def import_what_all_need() -> None:
    """Import other packages once, so that each child has them. Of this one, nothing."""
    for name in ("langchain_openai", "langgraph.graph", "langchain.agents", "uvicorn", "starlette"):
        import_module(name)
    assert PACKAGE not in sys.modules


def main(arguments: Sequence[str] | None = None) -> None:
    """Judge mutants, print the survivors, and the counts as JSON in the last line."""
    parser = argparse.ArgumentParser(description="Mutation testing of the pure modules.")
    parser.add_argument("modules", nargs="*", default=MODULES)
    parser.add_argument("--sample", type=int, default=20, help="mutants of a module")
    parser.add_argument("--seconds", type=float, default=600, help="no new mutant after these")
    options = parser.parse_args(arguments)
    import_what_all_need()
    for module in options.modules:
        source = (ROOT / PACKAGE / f"{module}.py").read_text(encoding="utf-8")
        if not (find_tests(module) and survives(module, source)):
            sys.exit(f"{module} has no tests of its name, or they fail as it is")
    counts = {"tried": 0, "killed": 0}
    survivors = []
    for mutant, survived in judge(options.modules, options.sample, options.seconds):
        counts["tried"] += 1
        counts["killed"] += not survived
        if survived:
            survivors.append(f"{mutant.module}.py:{mutant.line}: {mutant.change}")
            print(survivors[-1], flush=True)
    print(json.dumps({**counts, "survivors": survivors}))


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
