"""The request fields of the API: each is declared here, once.

A field is a line of `RequestFields`, or of `CallFields` if only a call sets it: its name, its type,
the values that it takes, its default, and below it what it does. `ChatASIOne` takes its arguments
and fields from here, the check of a call, the reference and the local stand-in do as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import (
    Annotated,
    Any,
    Final,
    NamedTuple,
    TypeVar,
    dataclass_transform,
    get_args,
    get_type_hints,
)

from langchain_asi_one._agent_address import is_agent_address

_Class = TypeVar("_Class")
_MOST_CHARACTERS: Final = 64
_NAME: Final = re.compile(rf"[A-Za-z0-9_-]{{1,{_MOST_CHARACTERS}}}")
_NOT_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9_-]+")


class Domain(NamedTuple):
    """The values that a field takes.

    Attributes:
        wanted: The values in words, for errors.
        accepts: Whether a value is one of them.
        accepts_item: Whether an item of the value is; `None` if items are not looked at.
        convert: Makes the value that is sent.
    """

    wanted: str
    accepts: Callable[[Any], bool]
    accepts_item: Callable[[Any], bool] | None = None
    convert: Callable[[Any], Any] | None = None


def make_number_domain(low: float, high: float) -> Domain:
    """Make the domain of the numbers from `low` to `high`."""
    return Domain(
        f"a number from {low:g} to {high:g}", lambda v: _is_number(v) and low <= v <= high
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return _is_number(value) and is_whole and value >= 0


def _is_stop(value: object) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list | tuple) and all(isinstance(text, str) for text in value)
    )


def _is_collection(value: object) -> bool:
    return isinstance(value, Collection) and not isinstance(value, str)


_Switch = Annotated[bool | None, Domain("True or False", lambda v: isinstance(v, bool))]
_Tokens = Annotated[
    int | None, Domain("a whole number of tokens, 0 or more", _is_count, convert=int)
]
_Text = Annotated[str | None, Domain("a text", lambda v: isinstance(v, str) and v.strip() != "")]
_Stop = Annotated[list[str] | str | None, Domain("a text or a list of texts", _is_stop)]
_Agents = Annotated[
    list[str] | None,
    Domain(
        "a list of agent addresses (agent1…, 65 characters with a valid checksum)",
        _is_collection,
        is_agent_address,
    ),
]


@dataclass_transform(kw_only_default=True)
def declare_arguments(cls: type[_Class]) -> type[_Class]:
    """Let type checkers make a constructor of a class's fields.

    It does nothing else.
    """
    return cls


# Names and ranges: docs/wire-format.md, 1.3. `extra_body` takes what is not documented.
@declare_arguments
class RequestFields:
    """Request fields that are set on the model or in a call.

    `None` leaves a field to the API.
    """

    temperature: Annotated[float | None, make_number_domain(0, 2)] = None
    """How random sampling is, 0 to 2; the API's own default is 1."""

    max_tokens: _Tokens = None
    """Most tokens to answer with, 0 or more, thinking included: an answer can end empty if it is
    too low."""

    top_p: Annotated[float | None, make_number_domain(0, 1)] = None
    """Probability mass to sample from, 0 to 1."""

    frequency_penalty: Annotated[float | None, make_number_domain(-2, 2)] = None
    """-2 to 2; above 0 repetition is less likely."""

    presence_penalty: Annotated[float | None, make_number_domain(-2, 2)] = None
    """-2 to 2; above 0 new topics are more likely."""

    stop: _Stop = None
    """A text or a list of texts before which the answer ends."""

    web_search: _Switch = None
    """Whether ASI:One may search the web."""

    planner_mode: _Switch = None
    """Whether ASI:One plans and asks agents of Agentverse. Such a request may have effects: it is
    never sent again by itself."""

    agents: _Agents = None
    """Addresses of the agents to plan with, each checked. Never sent again either. Seen in a bug
    report (https://github.com/fetchai/agentverse/issues/115), not documented."""

    agent_address: _Text = None
    """Address of the agent on whose behalf the call is made, for limits and audit."""

    study_mode: _Switch = None
    """A switch of the API that it lists without a description."""

    enable_thinking: _Switch = None
    """Whether the model thinks first; seen in a client for `asi1-ultra`, not documented."""

    thinking_budget: _Tokens = None
    """Most tokens to think with, 0 or more; seen in a client for `asi1-ultra`, not documented."""


class CallFields(RequestFields):
    """Request fields that a call sets, besides those of the model."""

    model: _Text = None
    stream: _Switch = None
    stream_options: dict[str, Any] | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: dict[str, Any] | str | None = None
    parallel_tool_calls: _Switch = None
    response_format: Any = None


_HINTS: Final = get_type_hints(CallFields, include_extras=True)
MODEL_FIELDS: Final = tuple(RequestFields.__annotations__)
TYPES: Final[dict[str, Any]] = get_type_hints(CallFields)
"""The Python type of each request field, by name."""
DOMAINS: Final[dict[str, Domain]] = {
    name: domain
    for name, hint in _HINTS.items()
    for domain in get_args(hint)[1:]
    if isinstance(domain, Domain)
}
"""What each request field takes, by name, where it is checked."""
AGENTIC_FIELDS: Final = frozenset({"planner_mode", "agents"})
"""Those that can make agents act. A request with one of them is never sent again by itself."""
CALL_ARGUMENTS: Final = {
    *TYPES,
    *("session_id", "stream_usage", "timeout", "deadline", "extra_body"),
}


def may_act(body: Mapping[str, Any]) -> bool:
    """Return whether a request with this body can make agents act."""
    return any(map(body.get, AGENTIC_FIELDS))


def check_names(
    given: Iterable[str], known: Collection[str], elsewhere: Mapping[str, str], *, where: str
) -> None:
    """Refuse names that nothing is known of.

    `elsewhere` says what to do instead of names that are known not to be taken here; `where` says
    what takes the names.

    Raises:
        ValueError: Naming the first unknown one and the nearest known ones.
    """
    for name in given:
        if name in elsewhere and name not in known:
            msg = f"{where} has no parameter {name!r}. {elsewhere[name]}"
            raise ValueError(msg)
        if name not in known:
            # The base class's names for fields that have names of their own here.
            names = sorted(name for name in known if not name.startswith("openai_"))
            near = get_close_matches(name, names, n=1, cutoff=0.7)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            msg = (
                f"{where} has no parameter {name!r}.{hint} A field of the API that is not "
                f"documented goes into extra_body={{{name!r}: …}}."
            )
            raise ValueError(msg)


def check_value(name: str, value: Any) -> Any:
    """Check the value of a request field and return what is sent.

    Raises:
        ValueError: Naming field, range and value.

    Example:
        >>> check_value("temperature", 0.5)
        0.5
    """
    domain = DOMAINS.get(name)
    if domain is None or value is None:
        return value
    refused = [] if domain.accepts(value) else [value]
    if domain.accepts_item and not refused:
        refused = [item for item in value if not domain.accepts_item(item)]
    if refused:
        shown = repr(refused[0])
        shown = shown if len(shown) <= 100 else f"{shown[:100]}…"
        msg = f"{name} must be {domain.wanted}; got {shown}."
        raise ValueError(msg)
    return domain.convert(value) if domain.convert else value


def clean_name(name: object) -> str:
    """Return a name as the API takes it; `""` without any.

    Example:
        >>> clean_name("Movie review: [new]")
        'Movie_review_new'
    """
    if not isinstance(name, str) or _NAME.fullmatch(name):
        return name if isinstance(name, str) else ""
    return _NOT_IN_A_NAME.sub("_", name).strip("_")[:_MOST_CHARACTERS]


def fit_name(name: object) -> str:
    """Return a tool's or schema's name with what the API refuses replaced.

    Raises:
        ValueError: If nothing is left of it.
    """
    if not (fitted := clean_name(name)):
        msg = (
            f"{name!r} is not a tool name that ASI:One takes: 1 to 64 letters, digits, "
            f"underscores and hyphens. Rename the tool."
        )
        raise ValueError(msg)
    return fitted
