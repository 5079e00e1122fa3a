"""The fields of `ChatASIOne`: what can be set, from where it is read, and how it is kept.

Also what of it leaves the process: serialised forms and pickles hold no key that came from the
environment, and no header.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, ClassVar, Self

from langchain_core.language_models import BaseChatModel, ModelProfile
from langchain_core.utils import from_env, secret_from_env
from langchain_openai.chat_models.base import BaseChatOpenAI
from pydantic import (
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from typing_extensions import override

from langchain_asi_one._model_profiles import PROFILES, SUCCESSORS
from langchain_asi_one._request.parameters import ASI_ONE_FIELDS, check_names, check_value
from langchain_asi_one._request.session import check_session_id
from langchain_asi_one._transport.request import ClientSettings
from langchain_asi_one._validators import (
    check_api_key,
    check_base_url,
    check_headers,
    check_timeout,
    without_inputs,
)
from langchain_asi_one._version import __version__

DEFAULT_BASE_URL = "https://api.asi1.ai/v1"
API_KEY_VARIABLE = "ASI_ONE_API_KEY"
BASE_URL_VARIABLE = "ASI_ONE_BASE_URL"


# Where what somebody looks for here is found.
_ELSEWHERE = {
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
    **dict.fromkeys(
        ("asi_one_api_key", "asi1_api_key", "asi_api_key", "asione_api_key", "key", "token"),
        "Did you mean 'api_key'?",
    ),
}


class ASIOneFields(BaseChatOpenAI):
    """Fields of `ChatASIOne`, their checks, and its serialised forms."""

    # Only `ChatASIOne` is ever built: its validators are all that need making.
    model_config = ConfigDict(populate_by_name=True, hide_input_in_errors=True, defer_build=True)

    model_name: str = Field(default="asi1", alias="model")
    """`asi1` (adaptive), `asi1-ultra` (deepest) or `asi1-mini` (fastest)."""

    temperature: float | None = None
    """Sampling temperature, 0 to 2; the API's default is 1."""

    max_tokens: int | None = None
    """Most tokens to answer with, thinking included; an answer can end empty if it is too low."""

    top_p: float | None = None
    """Probability mass to sample from, 0 to 1."""

    frequency_penalty: float | None = None
    """-2 to 2; positive values make repetition less likely."""

    presence_penalty: float | None = None
    """-2 to 2; positive values make new topics more likely."""

    stop: list[str] | str | None = Field(default=None, alias="stop_sequences")
    """Texts before which the answer ends."""

    streaming: bool = False
    """Whether `invoke` asks for a stream too, so that callbacks see tokens."""

    stream_usage: bool | None = True
    """Whether streams ask for token usage. Switched off by itself if the API refuses that."""

    web_search: bool | None = None
    """Whether ASI:One may search the web. Documented for the OpenAI SDK's `extra_body`."""

    session_id: str | None = None
    """Session of all calls, sent as `x-session-id`; see README, "Sessions"."""

    session_from_thread: bool = True
    """Whether calls in a LangGraph or LangChain thread share a session made of its id."""

    planner_mode: bool | None = None
    """Whether ASI:One plans and asks agents of Agentverse. Such requests are never re-sent."""

    agents: list[str] | None = None
    """Addresses of the agents to plan with (observed, not documented). Never re-sent."""

    agent_address: str | None = None
    """Address of the agent on whose behalf the call is made, for limits and audit."""

    study_mode: bool | None = None
    """Listed in the API reference without a description."""

    enable_thinking: bool | None = None
    """Whether the model thinks first (seen in clients for `asi1-ultra`, not documented)."""

    thinking_budget: int | None = None
    """Most tokens to think with (seen in clients for `asi1-ultra`, not documented)."""

    extra_body: Mapping[str, Any] | None = None
    """Further fields of the request body. Those of a call are added to the instance's."""

    request_timeout: Any = Field(default=90.0, alias="timeout")
    """Seconds to wait for an answer, or between two events of a stream; for each try.

    A timeout object of the HTTP library sets connect, read, write and pool apart.
    """

    max_retries: int = Field(default=2, ge=0)
    """Further tries after a failure that may pass: no connection, 408, 409, 429, 5xx."""

    openai_api_key: SecretStr | None = Field(
        default_factory=secret_from_env(API_KEY_VARIABLE, default=None),
        alias="api_key",
        validate_default=True,
    )
    """API key; from `ASI_ONE_API_KEY` if not given."""

    openai_api_base: str = Field(
        default_factory=from_env(BASE_URL_VARIABLE, default=DEFAULT_BASE_URL),
        alias="base_url",
        validate_default=True,
    )
    """Where the API is; from `ASI_ONE_BASE_URL` if not given, else the public endpoint."""

    default_headers: Mapping[str, str] | None = Field(default=None, exclude=True, repr=False)
    """Further headers of each request. In no repr, trace or serialised form."""

    http_client: Any = Field(default=None, exclude=True)
    """Your own `httpx2.Client` (`httpx.Client` with openai < 3) for sync calls."""

    http_async_client: Any = Field(default=None, exclude=True)
    """Your own async client for async calls; it must fit the event loops that you use."""

    # Inherited, and switched off: the first would read OPENAI_PROXY.
    openai_proxy: str | None = Field(default=None, exclude=True, repr=False)
    use_responses_api: bool | None = Field(default=False, exclude=True, repr=False)

    _OWN_ARGUMENTS: ClassVar[tuple[str, ...]] = (
        "model_name",
        "temperature",
        "max_tokens",
        "top_p",
        "frequency_penalty",
        "presence_penalty",
        "stop",
        "streaming",
        "stream_usage",
        "session_id",
        "session_from_thread",
        *ASI_ONE_FIELDS,
        "extra_body",
        "request_timeout",
        "max_retries",
        "openai_api_key",
        "openai_api_base",
        "default_headers",
        "http_client",
        "http_async_client",
    )

    def __init__(self, **arguments: Any) -> None:
        arguments = self._without_defaults(arguments)
        check_names(arguments, self._argument_names(), _ELSEWHERE, where="ChatASIOne")
        for alias in ("api_key", "openai_api_key"):
            if isinstance(arguments.get(alias), str):
                # Before validation, whose errors hold their input.
                arguments[alias] = SecretStr(arguments[alias])
        refused: ValidationError | None = None
        try:
            super().__init__(**arguments)
        except ValidationError as error:
            refused = without_inputs(error)
        if refused is not None:
            # Outside the except clause, which would keep the first error as context.
            raise refused
        if self.openai_api_key is None:
            msg = (
                f"ChatASIOne needs an API key: set {API_KEY_VARIABLE} or pass api_key=. Keys are "
                f"made at https://asi1.ai; langchain_asi_one.testing.local_asi_one() answers "
                f"without one."
            )
            raise ValueError(msg)
        warn_if_retired(self.model_name, stacklevel=3)

    @classmethod
    def _without_defaults(cls, arguments: dict[str, Any]) -> dict[str, Any]:
        """Drop what is no argument of ours and says nothing.

        `configurable_fields` makes a model from all fields of another one, inherited ones and the
        profile of the other's name included.
        """
        known = cls._argument_names()
        fields = cls.model_fields

        def says_nothing(name: str, value: Any) -> bool:
            if name == "profile":
                return value in PROFILES.values()
            if name == "openai_api_key" and isinstance(value, SecretStr):
                # Read from the environment by the other model, and by this one again.
                return value.get_secret_value() == os.environ.get(API_KEY_VARIABLE, "").strip()
            inherited = name in fields and name not in known
            return bool(inherited and value == fields[name].get_default(call_default_factory=True))

        return {k: v for k, v in arguments.items() if not says_nothing(k, v)}

    @classmethod
    @cache
    def _argument_names(cls) -> frozenset[str]:
        own = {*cls._OWN_ARGUMENTS, *BaseChatModel.model_fields}
        # A subclass may add fields of its own.
        own |= set(cls.model_fields) - set(BaseChatOpenAI.model_fields)
        aliases = {cls.model_fields[name].alias for name in own if name in cls.model_fields}
        return frozenset(own | {alias for alias in aliases if alias})

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

    @model_validator(mode="after")
    def _set_asi_one_version(self) -> Self:
        self._add_version("langchain-asi-one", __version__)
        return self

    @field_validator(
        "temperature",
        "max_tokens",
        "top_p",
        "frequency_penalty",
        "presence_penalty",
        *ASI_ONE_FIELDS,
        mode="before",
    )
    @classmethod
    def _check_value(cls, value: Any, info: ValidationInfo) -> Any:
        return check_value(str(info.field_name), value)

    @field_validator("session_id", mode="before")
    @classmethod
    def _check_session_id(cls, value: Any) -> str | None:
        return None if value is None else check_session_id(value)

    @field_validator("openai_api_key")
    @classmethod
    def _check_api_key(cls, value: SecretStr | None) -> SecretStr | None:
        return check_api_key(value)

    @field_validator("openai_api_base")
    @classmethod
    def _check_base_url(cls, value: str) -> str:
        return check_base_url(value)

    @field_validator("default_headers")
    @classmethod
    def _check_headers(cls, value: Mapping[str, str] | None) -> Mapping[str, str] | None:
        return check_headers(value)

    @field_validator("request_timeout")
    @classmethod
    def _check_timeout(cls, value: Any) -> Any:
        return check_timeout(value)

    @field_validator("output_version")
    @classmethod
    def _check_output_version(cls, value: str | None) -> str | None:
        # LC_OUTPUT_VERSION may ask for the form of an API that ASI:One's models are not called by.
        return value if value in {"v0", "v1"} else None

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        """Show the arguments that were given, and what is asked where; never the key."""
        fields = type(self).model_fields
        always = ("model_name", "openai_api_base")
        given = (name for name in self._OWN_ARGUMENTS if name in self.model_fields_set)
        for name in dict.fromkeys((*always, *given)):
            if fields[name].repr and name != "openai_api_key":
                yield fields[name].alias or name, getattr(self, name)

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        for name in ("http_client", "http_async_client"):
            if getattr(self, name) is not None:
                msg = f"A ChatASIOne with its own {name} cannot be pickled: connections stay here."
                raise TypeError(msg)
        if "openai_api_key" not in self.model_fields_set:
            # It came from the environment, and is read again where this is unpickled.
            state["__dict__"] = {**state["__dict__"], "openai_api_key": None}
        return state

    def __setstate__(self, state: dict[Any, Any]) -> None:
        super().__setstate__(state)
        if self.openai_api_key is None and (key := os.environ.get(API_KEY_VARIABLE)):
            self.__dict__["openai_api_key"] = check_api_key(SecretStr(key))

    @property
    @override
    def lc_secrets(self) -> dict[str, str]:
        """Where the key of a serialised model is read from."""
        return {"openai_api_key": API_KEY_VARIABLE}

    @classmethod
    @override
    def is_lc_serializable(cls) -> bool:
        """The model can be serialised; its key and headers are left out."""
        return True

    @override
    def _resolve_model_profile(self) -> ModelProfile | None:
        profile = PROFILES.get(self.model_name)
        return profile.copy() if profile else None

    def _settings(self) -> ClientSettings:
        if self.openai_api_key is None:
            msg = f"There is no API key in this process: set {API_KEY_VARIABLE}."
            raise ValueError(msg)
        return ClientSettings(
            api_key=self.openai_api_key.get_secret_value(),
            base_url=self.openai_api_base,
            timeout=self.request_timeout,
            max_retries=self.max_retries,
            headers=dict(self.default_headers or {}),
            http_client=self.http_client,
            http_async_client=self.http_async_client,
        )


def warn_if_retired(model: object, *, stacklevel: int) -> None:
    """Name the successor of a retired model.

    Args:
        model: The name of the model asked for.
        stacklevel: As of `warnings.warn`, counted from the caller.
    """
    if isinstance(model, str) and (successor := SUCCESSORS.get(model)):
        msg = f"ASI:One has retired the model {model!r}; use {successor!r}."
        warnings.warn(msg, FutureWarning, stacklevel=stacklevel + 1)
