"""The arguments and fields of `ChatASIOne`, and its serialised forms.

Also what of it leaves the process: serialised forms and pickles hold no key that came from the
environment, and no header.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cache, partial
from itertools import pairwise
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Concatenate,
    Final,
    Literal,
    ParamSpec,
    Self,
    TypeVar,
    get_type_hints,
)

from langchain_core.caches import BaseCache
from langchain_core.callbacks import Callbacks
from langchain_core.language_models import BaseChatModel, ModelProfile
from langchain_core.load.serializable import SerializedConstructor, SerializedNotImplemented
from langchain_core.rate_limiters import BaseRateLimiter, InMemoryRateLimiter
from langchain_openai.chat_models.base import BaseChatOpenAI
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    ValidationInfo,
    create_model,
    field_validator,
    model_validator,
)
from typing_extensions import override

from langchain_asi_one._environment import (
    API_KEY_VARIABLE,
    DEFAULT_BASE_URL,
    name_unread_keys,
    read_environment,
)
from langchain_asi_one._model_profiles import PROFILES, SUCCESSORS
from langchain_asi_one._request.fields import (
    MODEL_FIELDS,
    RequestFields,
    check_names,
    check_value,
    declare_arguments,
)
from langchain_asi_one._request.session import check_session_id
from langchain_asi_one._transport.proxies import Proxy, find_proxy
from langchain_asi_one._transport.request import AGENTIC_TIMEOUT, DEFAULT_TIMEOUT, ClientSettings
from langchain_asi_one._validators import (
    Timeout,
    check_api_key,
    check_base_url,
    check_deadline,
    check_headers,
    check_timeout,
    drop_inputs,
    warn_caller,
)
from langchain_asi_one._version import __version__

_P = ParamSpec("_P")
_Self = TypeVar("_Self")


# --- Arguments: each is declared once, below or among the request fields. ---


@declare_arguments
class ModelFields(RequestFields):
    """Arguments that are fields of the same name, beside the request fields."""

    streaming: bool = False
    """Whether `invoke` asks for a stream too, so that callbacks see tokens."""

    stream_usage: bool | None = True
    """Whether streams ask for token usage. Switched off by itself if the API refuses that."""

    session_id: str | None = None
    """Session of all requests, 1 to 256 printable ASCII characters, sent as the header
    `x-session-id`; by default it is made from the thread or the run (guide "Sessions")."""

    session_from_thread: bool = True
    """Whether the thread and the position in its graph give a request its session."""

    extra_body: Mapping[str, Any] | None = None
    """Further fields of the request body, which no check looks at. Those of a call are added to
    the model's."""

    deadline: Annotated[float | None, BeforeValidator(check_deadline)] = None
    """Seconds for a request with all its tries and waits, above 0; by default there is no limit."""

    recover_tool_calls: bool = False
    """Whether an answer that is nothing but `<tool_call>…</tool_call>` becomes tool calls, if it
    announces calls and they fit bound tools. Whoever can make the model repeat a text can then
    make your program run a tool: leave it off unless each tool is harmless."""

    include_response_headers: bool = False
    """Whether messages have the response's headers in `response_metadata["headers"]`."""


@declare_arguments
class Arguments(ModelFields):
    """The arguments of `ChatASIOne`."""

    max_retries: int = 2
    """Further tries after an error that may pass (no connection, 408, 409, 429, 5xx), 0 or more."""

    model: str = "asi1"
    """Name of the model."""

    stop_sequences: list[str] | str | None = None
    """The same as `stop`: LangChain's name."""

    timeout: float | Timeout | None = DEFAULT_TIMEOUT
    """Seconds to wait for a response, or between two events of a stream, above 0, for each try;
    by default 300 for requests that make agents act. A timeout object of the HTTP library sets its
    four times apart. A connection has at most 10 s."""

    api_key: str | SecretStr | Callable[[], str] | None = None
    """The key, or a function that returns it for each request; by default that in
    `ASI_ONE_API_KEY`, else in `ASI1_API_KEY`. In no repr, trace, error or serialised form."""

    base_url: str | None = None
    """Where the API is, http or https; by default the address in `ASI_ONE_BASE_URL`, or in
    `ASI1_BASE_URL` if the key is that of `ASI1_API_KEY`, else `https://api.asi1.ai/v1`."""

    default_headers: Mapping[str, str] | None = None
    """Further headers of each request, shown nowhere."""

    http_client: Any = None
    """Your own `httpx2.Client` (`httpx.Client` with openai below 3) for sync requests."""

    http_async_client: Any = None
    """Your own async client, which must fit the event loops that you use."""

    # Those of each LangChain model.
    name: str | None = None
    """Name of the model in traces."""

    cache: BaseCache | bool | None = None
    """LangChain's cache of responses; `True` for the global one."""

    callbacks: Callbacks = None
    """LangChain's callbacks."""

    tags: list[str] | None = None
    """Tags in traces."""

    metadata: dict[str, Any] | None = None
    """Metadata in traces."""

    verbose: bool = False
    """Whether LangChain prints each response."""

    rate_limiter: BaseRateLimiter | None = None
    """LangChain's limiter, which spaces requests."""

    disable_streaming: bool | Literal["tool_calling"] = False
    """Whether `stream` asks for a whole response; `"tool_calling"`: if tools are bound."""

    output_version: str | None = None
    """`"v1"` for LangChain's standard blocks as the content of messages."""

    custom_get_token_ids: Callable[[str], list[int]] | None = None
    """Counts tokens, as ASI:One publishes no tokenizer."""

    profile: ModelProfile | None = None
    """Facts about the model; by default those of its name."""


ARGUMENTS: Final = tuple(get_type_hints(Arguments))


def hide_key(arguments: dict[str, Any]) -> None:
    """Make a key secret before validation, whose errors hold their input."""
    for name in {"api_key", "openai_api_key"} & arguments.keys():
        value = arguments[name]
        if isinstance(value, str):
            arguments[name] = SecretStr(value)


def check_key_type(arguments: Mapping[str, Any]) -> None:
    """Refuse a key of another type; name its type only."""
    for name in {"api_key", "openai_api_key"} & arguments.keys():
        value = arguments[name]
        if not (isinstance(value, str | SecretStr) or callable(value)):
            kind = type(value).__name__
            msg = f"api_key must be a text, or a function that returns one; got {kind}."
            raise ValueError(msg)  # noqa: TRY004 - as pydantic, for any bad value


def take_arguments(
    declared: Callable[_P, object],
) -> Callable[[Callable[Concatenate[_Self, ...], None]], Callable[Concatenate[_Self, _P], None]]:
    """Give a constructor the arguments of a class.

    Type checkers, `help` and completion then show them.
    """

    def take(
        init: Callable[Concatenate[_Self, ...], None],
    ) -> Callable[Concatenate[_Self, _P], None]:
        parameters = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=getattr(declared, name),
                annotation=hint,
            )
            for name, hint in get_type_hints(declared).items()
        ]
        itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        init.__signature__ = inspect.Signature([itself, *parameters])  # type: ignore[attr-defined]
        if described := describe_arguments(declared):
            section = "".join(f"\n    {name}: {text}" for name, text in described.items())
            init.__doc__ = f"{init.__doc__}\n\nArgs:{section}"
        return init

    return take


def describe_arguments(declared: Any) -> dict[str, str]:
    """Read the text below each argument in the source.

    There is none where there is no source.
    """
    described: dict[str, str] = {}
    for cls in reversed(declared.__mro__[:-1]):
        lines = "".join(linecache.getlines(sys.modules[cls.__module__].__file__ or ""))
        for node in ast.parse(lines).body:
            if isinstance(node, ast.ClassDef) and node.name == cls.__name__:
                for field, below in pairwise(node.body):
                    match field, below:
                        case ast.AnnAssign(target=ast.Name(name)), ast.Expr(
                            ast.Constant(str(text))
                        ):
                            described[name] = " ".join(text.split())
    if described:
        described["model"] += " " + ", ".join(f"`{name}`" for name in PROFILES)
    return described


# --- The base class without what is OpenAI's alone. ---

# Hints for arguments that belong elsewhere, for the model and for a call.
ELSEWHERE: Final = {
    **{
        name: "It is OpenAI's, not ASI:One's. Leave it out."
        for field, info in BaseChatOpenAI.model_fields.items()
        for name in (field, info.alias)
        if name
    },
    "model_kwargs": "Put further fields of the request body into extra_body={…}.",
    **dict.fromkeys(
        ("tools", "tool_choice", "parallel_tool_calls"), "Use model.bind_tools([…], …)."
    ),
    "response_format": "Use model.with_structured_output(…).",
    **dict.fromkeys(("max_completion_tokens", "max_output_tokens"), "Use max_tokens=."),
    **dict.fromkeys(("reasoning", "reasoning_effort"), "Use enable_thinking= or thinking_budget=."),
    **dict.fromkeys(
        ("extra_headers", "headers"),
        "Use session_id= for x-session-id, and default_headers= of the model for other headers.",
    ),
    **dict.fromkeys(
        ("asi_one_api_key", "asi1_api_key", "asi_api_key", "asione_api_key", "key", "token"),
        "Did you mean 'api_key'?",
    ),
}


_OUTPUT_VERSIONS: Final = (None, "v0", "v1")


class _OpenAIBase(BaseChatOpenAI):
    """`BaseChatOpenAI` without what is OpenAI's alone."""

    # Only `ChatASIOne` is ever built: its validators are all that need making.
    model_config = ConfigDict(populate_by_name=True, hide_input_in_errors=True, defer_build=True)

    # Switched off: the first would read OPENAI_PROXY.
    openai_proxy: str | None = Field(default=None, exclude=True, repr=False)
    use_responses_api: bool | None = Field(default=False, exclude=True, repr=False)

    # The next two replace validators of the base class on purpose: the first would move unknown
    # arguments into the request, the second would build four clients and read OPENAI_* variables.

    @model_validator(mode="before")
    @classmethod
    def build_extra(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Leave the arguments as they are; `__init__` has checked their names."""
        return values

    @model_validator(mode="after")
    def validate_environment(self) -> Self:
        """Build nothing: clients are made on first use."""
        return self

    @field_validator("output_version")
    @classmethod
    def _check_output_version(cls, value: str | None) -> str | None:
        if value not in _OUTPUT_VERSIONS:
            msg = f'output_version must be "v0" or "v1"; got {value!r}.'
            raise ValueError(msg)
        return value

    @classmethod
    def _drop_inherited(cls, arguments: dict[str, Any]) -> dict[str, Any]:
        """Drop inherited arguments with their defaults.

        `configurable_fields` makes a model from all fields of another one, inherited ones and the
        profile of the other's name included.
        """
        known = cls._list_argument_names()
        fields = cls.model_fields
        all_given = fields.keys() <= arguments.keys()

        def is_default(name: str, value: Any) -> bool:
            if name == "profile":
                return all_given and value in PROFILES.values()
            if name == "request_timeout":
                return bool(all_given and value == DEFAULT_TIMEOUT)
            if name == "openai_api_key" and isinstance(value, SecretStr):
                # Read from the environment by the other model, and by this one again.
                return value == read_environment().openai_api_key
            inherited = name in fields and name not in known
            return bool(inherited and value == fields[name].get_default(call_default_factory=True))

        return {k: v for k, v in arguments.items() if not is_default(k, v)}

    @classmethod
    @cache
    def _list_argument_names(cls) -> frozenset[str]:
        # A subclass may add fields of its own.
        added = cls.model_fields.keys() - BaseChatOpenAI.model_fields.keys()
        return frozenset({*ARGUMENTS, *LANGCHAIN_NAMES.values(), *added})


if TYPE_CHECKING:

    class _Declared(ModelFields, _OpenAIBase): ...

else:
    _Declared = create_model(
        "_Declared",
        __base__=_OpenAIBase,
        **{
            name: (hint, getattr(ModelFields, name))
            for name, hint in get_type_hints(ModelFields, include_extras=True).items()
        },
    )

# Arguments whose fields have LangChain's names.
LANGCHAIN_NAMES: Final = {
    "model": "model_name",
    "stop_sequences": "stop",
    "timeout": "request_timeout",
    "api_key": "openai_api_key",
    "base_url": "openai_api_base",
}


class ASIOneFields(_Declared):
    """Fields of `ChatASIOne`, their checks, and its serialised forms."""

    model_config = ConfigDict(defer_build=True)

    # Those with a type or a name of LangChain's, and those that are written nowhere.
    model_name: str = Field(default=Arguments.model, alias="model")
    max_retries: int = Field(default=Arguments.max_retries, ge=0)
    request_timeout: Annotated[Any, AfterValidator(check_timeout)] = Field(
        default=Arguments.timeout, alias="timeout"
    )
    # `__init__` fills these two from the environment, so that they do not count as given.
    openai_api_key: SecretStr | Callable[[], str] | None = Field(default=None, alias="api_key")
    openai_api_base: str = Field(default=DEFAULT_BASE_URL, alias="base_url")
    default_headers: Annotated[Mapping[str, str] | None, AfterValidator(check_headers)] = Field(
        default=None, exclude=True, repr=False
    )
    http_client: Any = Field(default=None, exclude=True)
    http_async_client: Any = Field(default=None, exclude=True)

    _proxy: Proxy | None = PrivateAttr(default=None)

    def __init__(self, **arguments: Any) -> None:
        arguments = self._drop_inherited(arguments)
        check_names(arguments, self._list_argument_names(), ELSEWHERE, where="ChatASIOne")
        _join_twins(arguments)
        if "stop_sequences" in arguments:
            arguments["stop"] = arguments.pop("stop_sequences")
        for name in ("api_key", "openai_api_key", "base_url", "openai_api_base"):
            if arguments.get(name, "") is None:
                del arguments[name]  # the environment's
        check_key_type(arguments)
        hide_key(arguments)
        refused: ValidationError | None = None
        try:
            super().__init__(**arguments)
        except ValidationError as error:
            refused = drop_inputs(error)
        if refused is not None:
            # Outside the except clause, which would keep the first error as context.
            raise refused
        if self.output_version not in _OUTPUT_VERSIONS:
            # LC_OUTPUT_VERSION may name a form of an API that is not ASI:One's.
            self.__dict__["output_version"] = None
        missing = {"openai_api_key", "openai_api_base"} - self.model_fields_set
        if missing:
            environment = read_environment(given_key="openai_api_key" not in missing)
            self.__dict__.update({name: getattr(environment, name) for name in missing})
        if self.openai_api_key is None:
            msg = (
                f"ChatASIOne needs an API key: set {API_KEY_VARIABLE} or pass api_key=. Keys are "
                f"made at https://asi1.ai; langchain_asi_one.testing.local_asi_one() answers "
                f"without one.{name_unread_keys()}"
            )
            raise ValueError(msg)
        self._proxy = find_proxy(self.openai_api_base)
        warn_if_retired(self.model_name)

    @property
    def timeout(self) -> Any:
        """The timeout, as it was given; LangChain names it `request_timeout`."""
        return self.request_timeout

    @property
    def api_key(self) -> SecretStr | Callable[[], str] | None:
        """The key, secret, or its function; LangChain names it `openai_api_key`."""
        return self.openai_api_key

    @property
    def base_url(self) -> str:
        """Where the API is; LangChain names it `openai_api_base`."""
        return self.openai_api_base

    @model_validator(mode="after")
    def _set_asi_one_version(self) -> Self:
        self._add_version("langchain-asi-one", __version__)
        return self

    @field_validator(*MODEL_FIELDS, mode="before")
    @classmethod
    def _check_value(cls, value: Any, info: ValidationInfo) -> Any:
        return check_value(str(info.field_name), value)

    @field_validator("session_id", mode="before")
    @classmethod
    def _check_session_id(cls, value: Any) -> str | None:
        return None if value is None else check_session_id(value)

    @field_validator("openai_api_key")
    @classmethod
    def _check_api_key(cls, value: Any) -> Any:
        return value if callable(value) else check_api_key(value)

    @field_validator("openai_api_base")
    @classmethod
    def _check_base_url(cls, value: str) -> str:
        return check_base_url(value)

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        """Show the arguments that were given and the address, never the key."""
        yield from (("model", self.model_name), ("base_url", self.base_url))
        hidden = {"model", "base_url", "api_key", "stop_sequences", *BaseChatModel.model_fields}
        for argument in ARGUMENTS:
            field = LANGCHAIN_NAMES.get(argument, argument)
            if argument in hidden or field not in self.model_fields_set:
                continue
            if type(self).model_fields[field].repr:
                yield argument, getattr(self, field)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        # A copy has the same limit and the same connections: neither can be copied.
        memo = {} if memo is None else memo
        for shared in (self.rate_limiter, self.http_client, self.http_async_client):
            memo[id(shared)] = shared
        return super().__deepcopy__(memo)

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        for name in ("http_client", "http_async_client"):
            if getattr(self, name) is not None:
                msg = f"A ChatASIOne with its own {name} cannot be pickled: connections stay here."
                raise TypeError(msg)
        if "openai_api_key" not in self.model_fields_set:
            # It came from the environment, and is read again where this is unpickled.
            state["__dict__"] = {**state["__dict__"], "openai_api_key": None}
        if type(limiter := self.rate_limiter) is InMemoryRateLimiter:
            # It holds a lock; where this is unpickled, a new one limits to the same rate.
            again = partial(
                InMemoryRateLimiter,
                requests_per_second=limiter.requests_per_second,
                check_every_n_seconds=limiter.check_every_n_seconds,
                max_bucket_size=limiter.max_bucket_size,
            )
            state["__dict__"] = {**state["__dict__"], "rate_limiter": again}
        elif limiter is not None:
            # A class without a place to be found at is another error: some picklers take it.
            with suppress(AttributeError, pickle.PicklingError):
                _check_picklable(limiter)
        return state

    def __setstate__(self, state: dict[Any, Any]) -> None:
        super().__setstate__(state)
        if isinstance(limiter := self.__dict__["rate_limiter"], partial):
            self.__dict__["rate_limiter"] = limiter()
        if "openai_api_key" not in self.model_fields_set:
            environment = read_environment()
            self.__dict__["openai_api_key"] = environment.openai_api_key
            if environment.openai_api_key and "openai_api_base" not in self.model_fields_set:
                self.__dict__["openai_api_base"] = environment.openai_api_base

    @property
    @override
    def lc_secrets(self) -> dict[str, str]:
        """Where the key of a serialised model is read from."""
        environment = read_environment()
        found = environment.openai_api_key == self.openai_api_key
        return {"openai_api_key": environment.key_variable if found else API_KEY_VARIABLE}

    @classmethod
    @override
    def is_lc_serializable(cls) -> bool:
        """Return true: a model can be serialised, without key and headers."""
        return True

    @override
    def to_json(self) -> SerializedConstructor | SerializedNotImplemented:
        serialised = super().to_json()
        if serialised["type"] == "constructor":
            # The property of that name would have the key written twice.
            serialised["kwargs"].pop("api_key", None)
            if "request_timeout" not in self.model_fields_set:
                # The default is longer for some requests; one that is given is not.
                serialised["kwargs"].pop("request_timeout", None)
        return serialised

    @property
    @override
    def _default_params(self) -> dict[str, Any]:
        """The request fields that are set, as traces show them."""
        fields = {name: getattr(self, name) for name in (*MODEL_FIELDS, "extra_body")}
        fields = {name: value for name, value in fields.items() if value not in (None, [])}
        return {"model": self.model_name, "stream": self.streaming, **fields}

    @override
    def _resolve_model_profile(self) -> ModelProfile | None:
        profile = PROFILES.get(self.model_name)
        return profile.copy() if profile else None

    def _read_api_key(self) -> SecretStr:
        key = self.openai_api_key
        if callable(key):
            text: object = key()
            key = check_api_key(SecretStr(text)) if isinstance(text, str) else None
            if key is None:
                msg = f"api_key, a function, must return a text; it returned {type(text).__name__}."
                raise ValueError(msg)
        if key is None:
            msg = f"There is no API key in this process: set {API_KEY_VARIABLE}."
            raise ValueError(msg)
        return key

    def _make_settings(self) -> ClientSettings:
        given = "request_timeout" in self.model_fields_set
        return ClientSettings(
            api_key=self._read_api_key().get_secret_value(),
            base_url=self.openai_api_base,
            timeout=self.request_timeout,
            agentic_timeout=self.request_timeout if given else AGENTIC_TIMEOUT,
            deadline=self.deadline,
            proxy=self._proxy,
            max_retries=self.max_retries,
            headers=dict(self.default_headers or {}),
            http_client=self.http_client,
            http_async_client=self.http_async_client,
        )


def _check_picklable(limiter: BaseRateLimiter) -> None:
    try:
        pickle.dumps(limiter)
    except TypeError as error:
        msg = (
            f"A ChatASIOne with the rate_limiter {type(limiter).__name__} cannot be pickled: "
            f"{error}. Use an InMemoryRateLimiter, or a class that can be pickled."
        )
        raise TypeError(msg) from None


def _join_twins(arguments: dict[str, Any]) -> None:
    """Leave one of two names of an argument; refuse two values.

    `None` is no value here: the other one counts.
    """
    for argument, field in LANGCHAIN_NAMES.items():
        if not {argument, field} <= arguments.keys():
            continue
        one, other = arguments[argument], arguments[field]
        if one is not None and other is not None and one != other:
            msg = f"{argument} and {field} are one argument of ChatASIOne: give one of them."
            raise ValueError(msg)
        del arguments[argument if one is None else field]


def warn_if_retired(model: object) -> None:
    """Name the successor of a retired model."""
    if isinstance(model, str) and (successor := SUCCESSORS.get(model)):
        msg = f"ASI:One has retired the model {model!r}; use {successor!r}."
        warn_caller(msg, FutureWarning)
