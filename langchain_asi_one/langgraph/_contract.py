"""What a node or router reads, writes and leads to.

LangGraph and `check_graph` read it.

LangGraph drops a key that the state does not declare, without an error. It does add the keys of
the TypedDict that annotates a node's or router's first parameter, so each of ours carries one. Such
a schema has no reducer but that of the results: LangGraph takes no second reducer for a key.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar, cast
from weakref import WeakSet

from langchain_core.runnables import Runnable, RunnableConfig, ensure_config
from typing_extensions import TypedDict, override

_FunctionT = TypeVar("_FunctionT", bound=Callable[..., Any])

_SCHEMAS: Final[WeakSet[Any]] = WeakSet()


@dataclass(frozen=True, slots=True)
class NodeContract:
    """The state keys and nodes that a node or router needs.

    Attributes:
        reads: Keys that it needs.
        writes: Keys that it replaces; they must have no reducer.
        gathers: Keys that it adds to; they must have a reducer.
        targets: Nodes that a router may lead to.
        sends: Nodes that a router sends tasks to.
    """

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    gathers: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    sends: tuple[str, ...] = ()


def declare(function: _FunctionT, keys: Mapping[str, Any], contract: NodeContract) -> _FunctionT:
    """Attach a contract to a node's or router's function.

    Args:
        function: The function; it must have a parameter for the state or the task.
        keys: Types of the state keys that it reads or writes.
        contract: What it relies on.

    Returns:
        The same function. LangGraph reads its keys and targets from the annotations.
    """
    parameter = next(iter(inspect.signature(function).parameters), "task")
    annotations: dict[str, Any] = {parameter: make_schema(keys)}
    if contract.targets:
        annotations["return"] = cast("Any", Literal)[tuple(dict.fromkeys(contract.targets))]
    function.__annotations__ = annotations
    vars(function)["contract"] = contract
    return function


class TwoWayNode(Runnable[Any, dict[str, Any]]):
    """A node with a sync and an async half.

    LangGraph takes both from a Runnable only.
    """

    def __init__(
        self,
        name: str,
        run: Callable[[Any, RunnableConfig], dict[str, Any]],
        arun: Callable[[Any, RunnableConfig], Awaitable[dict[str, Any]]],
        contract: NodeContract,
    ) -> None:
        self.name = name
        self.contract = contract
        self._run = run
        self._arun = arun

    @property
    def func(self) -> "TwoWayNode":
        """The object with the contract, which `check_graph` reads."""
        return self

    @override
    def invoke(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        return self._run(input, ensure_config(config))

    @override
    async def ainvoke(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        return await self._arun(input, ensure_config(config))


def make_two_way_node(
    name: str,
    run: Callable[[Any, RunnableConfig], dict[str, Any]],
    arun: Callable[[Any, RunnableConfig], Awaitable[dict[str, Any]]],
    keys: Mapping[str, Any],
    contract: NodeContract,
) -> Any:
    """Make a node from its sync and its async half.

    Args:
        name: Name of the node.
        run: Takes the state or the task, and the config.
        arun: Async version of `run`.
        keys: Types of the state keys that it reads or writes.
        contract: What it relies on.
    """

    class Node(TwoWayNode):
        # LangGraph reads the state keys from this annotation, which belongs to the class.
        def __call__(self, state: Any) -> Any:
            return self.invoke(state)

    Node.__call__.__annotations__ = {"state": make_schema(keys)}
    return Node(name, run, arun, contract)


def find_contract(function: object) -> NodeContract:
    """Return the contract of a function; an empty one of another's."""
    contract = getattr(function, "contract", None)
    return contract if isinstance(contract, NodeContract) else NodeContract()


def make_schema(keys: Mapping[str, Any]) -> Any:
    """Make the TypedDict of state keys.

    LangGraph adds those that the state lacks.
    """
    make = cast("Any", TypedDict)
    schema = make("ASIOneKeys", dict(keys), total=False)
    _SCHEMAS.add(schema)
    return schema


def is_own_schema(schema: object) -> bool:
    """Return whether `make_schema` made a schema.

    Such a schema declares no key of the user's.
    """
    return schema in _SCHEMAS
