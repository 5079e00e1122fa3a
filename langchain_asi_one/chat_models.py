"""`ChatASIOne`: the hooks of LangChain's base class."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from functools import cache
from importlib import import_module
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    Literal,
    Self,
    TypedDict,
    TypeVar,
    cast,
    overload,
)

from langchain_core.caches import BaseCache
from langchain_core.callbacks import (
    AsyncCallbackManagerForLLMRun,
    BaseCallbackHandler,
    CallbackManagerForLLMRun,
    Callbacks,
)
from langchain_core.globals import get_llm_cache
from langchain_core.language_models import (
    LangSmithParams,
    LanguageModelInput,
)
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import ConfigurableField, Runnable, RunnableConfig
from langchain_core.runnables.config import ensure_config
from langchain_core.runnables.utils import ConfigurableFieldSpec
from langchain_core.utils.utils import LC_ID_PREFIX
from langchain_core.utils.uuid import uuid7
from pydantic import ConfigDict, PrivateAttr
from typing_extensions import override

from langchain_asi_one._config import (
    ELSEWHERE,
    Arguments,
    ASIOneFields,
    take_arguments,
    warn_if_retired,
)
from langchain_asi_one._follow_up.answer_cache import AnswerCache
from langchain_asi_one._follow_up.pending_rule import INTERVAL, MAX_POLLS
from langchain_asi_one._request import tools as _tools
from langchain_asi_one._request.fields import (
    CALL_ARGUMENTS,
    MODEL_FIELDS,
    check_names,
    check_value,
    may_act,
)
from langchain_asi_one._request.session import (
    SESSION_SPEC,
    find_run_session,
    find_session,
    is_uncached,
    make_session_id,
)
from langchain_asi_one._request.token_count import count_message_tokens, estimate_tokens
from langchain_asi_one._response.content_blocks import MODEL_PROVIDER
from langchain_asi_one._transport.request import ChatRequest
from langchain_asi_one._validators import (
    check_deadline,
    check_timeout,
    warn_caller,
)
from langchain_asi_one.errors import ASIOneError
from langchain_asi_one.follow_up import (
    BindingMaker,
    ConfigurableAlternatives,
    ConfigurableFields,
    FollowUpBinding,
    FollowUpRunnable,
    OnPending,
    convert_binding,
    with_follow_up,
)

# A session that was not chosen: it is no part of what a cached answer is found by.
_RUN_SESSION = "run_session_id"
# The run whose callbacks hear of retries and plans: LangChain hands none to `_stream`.
_RUN = "_run"
_WITH_PLANS = "_with_plans"

# The first request imports what only requests need: a third of all that there is to import.
if TYPE_CHECKING:
    from langchain_asi_one._response.reader import AnswerReader, Delta
    from langchain_asi_one._transport.completions import CompletionsClient


StructuredOutputMethod = Literal["function_calling", "json_mode", "json_schema"]

_Data = TypeVar("_Data")
_Run = TypeVar("_Run", CallbackManagerForLLMRun, AsyncCallbackManagerForLLMRun)


class RawAndParsed(TypedDict, Generic[_Data]):
    """What structured output returns with `include_raw=True`."""

    raw: BaseMessage
    parsed: _Data | None
    parsing_error: BaseException | None


# What only calls need is a third of what there would be to import.
_FOR_CALLS = (
    "_request.body",
    "_request.messages",
    "_response.messages",
    "_response.plan_events",
    "_response.reader",
    "_transport.completions",
)


async def preload_modules() -> None:
    """Import what a call needs in a thread, beside the event loop."""
    if f"{__package__}.{_FOR_CALLS[-1]}" in sys.modules:
        return
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return  # the request says so
    await asyncio.to_thread(lambda: [import_module(f"{__package__}.{n}") for n in _FOR_CALLS])


class ChatASIOne(BindingMaker, ASIOneFields):
    """ASI:One, Fetch.ai's agentic language model, as a LangChain chat model.

    Setup:
        Set ``ASI_ONE_API_KEY`` (keys: https://asi1.ai), or pass ``api_key=``.

    Where `None` is the default, nothing is sent and the API decides. Request fields, `session_id`,
    `stream_usage`, `timeout`, `deadline` and `extra_body` may also be given to one call.

    Example:
        >>> from langchain_asi_one import ChatASIOne
        >>> from langchain_asi_one.testing import local_asi_one
        >>> with local_asi_one() as server:  # leave both arguments out to ask the live API
        ...     model = ChatASIOne(base_url=server.base_url, api_key="any")
        ...     message = model.invoke("Which city is the capital of France?")
        >>> sorted(message.additional_kwargs)
        ['thought']

    The guide "What comes back" describes the answer.

    Raises:
        ValueError: If there is no API key, or an argument is unknown or out of range.

    Source:
        Names and ranges: ASI:One's API reference and its page on OpenAI's SDK (2026).
    """

    model_config = ConfigDict(defer_build=False)

    _held_completions: Any = PrivateAttr(default=None)
    # Retired model names, and "tool_calls_missing": each is warned about once.
    _warned: set[str] = PrivateAttr(default_factory=set)

    @take_arguments(Arguments)
    def __init__(self, *values: Any, **arguments: Any) -> None:
        """Make a model; arguments are given by name."""
        if values:  # which may hold a key: their number only
            msg = f"ChatASIOne takes arguments by name, such as model=; got {len(values)} without."
            raise TypeError(msg)
        super().__init__(**arguments)

    @property
    @override
    def _llm_type(self) -> str:
        return "asi-one-chat"

    @override
    def _get_invocation_params(
        self, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        kwargs = {n: value for n, value in kwargs.items() if n not in (_RUN_SESSION, _RUN)}
        return super()._get_invocation_params(stop=stop, **kwargs)

    @override
    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = MODEL_PROVIDER
        if isinstance(texts := params.get("ls_stop"), str):
            params["ls_stop"] = [texts]
        return params

    def __copy__(self) -> Self:
        copied = super().__copy__()
        # A copy may use another `base_url`: forget whether the API refused `stream_options`.
        copied._held_completions = None  # noqa: SLF001 - the same class
        copied._warned = set()  # noqa: SLF001
        return copied

    # --- Sessions: looked up where the config is, passed down as an argument, never stored. ---

    @override
    def invoke(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Send messages and return the answer.

        Args:
            input: Messages, a prompt value or a text.
            config: LangChain's config; `configurable` may hold `session_id` or `thread_id`.
            stop: Texts before which the answer ends.
            **kwargs: Request fields for this call, `session_id`, `timeout`, `deadline` or
                `extra_body`.

        Returns:
            The whole answer.

        Raises:
            ASIOneError: If the request failed.
            ValueError: If an argument is unknown or out of range.

        Example:
            >>> from langchain_asi_one.testing import local_asi_one
            >>> with local_asi_one() as server:
            ...     model = ChatASIOne(base_url=server.base_url, api_key="any")
            ...     message = model.invoke("Hello", session_id="chat-42", temperature=0.2)
            >>> message.response_metadata["session_id"]
            'chat-42'
        """
        model = self._copy_with_cache(False) if is_uncached(config) else self
        kwargs = self._add_session(config, kwargs)
        return super(ChatASIOne, model).invoke(input, config, stop=stop, **kwargs)

    @override
    async def ainvoke(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Async version of `invoke`."""
        model = self._copy_with_cache(False) if is_uncached(config) else self
        kwargs = self._add_session(config, kwargs)
        return await super(ChatASIOne, model).ainvoke(input, config, stop=stop, **kwargs)

    @override
    def stream(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> Iterator[AIMessageChunk]:
        """Yield the answer in chunks; their sum equals the answer of `invoke`.

        Args:
            input: Messages, a prompt value or a text.
            config: As for `invoke`.
            stop: Texts before which the answer ends.
            **kwargs: As for `invoke`.

        Returns:
            The chunks as they arrive, the thought (`additional_kwargs["thought"]`) first. The last
            one has steps, agents, metadata and usage.

        Raises:
            ASIOneError: While reading, if the request failed. `partial_text` and `partial_thought`
                hold what had arrived.
            ValueError: While reading, if an argument is unknown or out of range.

        Example:
            >>> from langchain_asi_one.testing import local_asi_one
            >>> with local_asi_one() as server:
            ...     model = ChatASIOne(base_url=server.base_url, api_key="any")
            ...     text = "".join(chunk.text for chunk in model.stream("Hello"))
        """
        config, run = self._open_run(config, CallbackManagerForLLMRun)
        kwargs = {**self._add_session(config, kwargs), _RUN: run}
        return super().stream(input, config, stop=stop, **kwargs)

    @override
    def astream(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[AIMessageChunk]:
        """Async version of `stream`."""
        config, run = self._open_run(config, AsyncCallbackManagerForLLMRun)
        kwargs = {**self._add_session(config, kwargs), _RUN: run}
        return super().astream(input, config, stop=stop, **kwargs)

    def stream_events(
        self,
        input: Any,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        *,
        version: Any = "v2",
        **kwargs: Any,
    ) -> Any:
        """Yield the answer as events of LangChain.

        Args:
            input: Messages, a prompt value or a text.
            config: As for `invoke`.
            version: Form of the events, as LangChain names it.
            **kwargs: As for `invoke`, and LangChain's filters of events.

        Returns:
            The events; with `version="v3"` LangChain's stream of a chat model.

        Raises:
            ASIOneError: While reading, if the request failed.
            ValueError: If an argument is unknown or out of range.

        Example:
            >>> from langchain_asi_one.testing import local_asi_one
            >>> with local_asi_one() as server:
            ...     model = ChatASIOne(base_url=server.base_url, api_key="any")
            ...     message = model.stream_events("Hello", version="v3").output
        """
        if version == "v3":
            kwargs = self._add_session(config, kwargs)
        return super().stream_events(input, config, version=version, **kwargs)

    def astream_events(
        self,
        input: Any,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        *,
        version: Any = "v2",
        **kwargs: Any,
    ) -> Any:
        """Async version of `stream_events`."""
        if version == "v3":
            kwargs = self._add_session(config, kwargs)
        return super().astream_events(input, config, version=version, **kwargs)

    @property
    @override
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        return [*super().config_specs, SESSION_SPEC]

    def _add_session(self, config: RunnableConfig | None, kwargs: dict[str, Any]) -> dict[str, Any]:
        session_id = self._find_session(config, kwargs.get("session_id"))
        if session_id is not None:
            return {**kwargs, "session_id": session_id}
        return {**kwargs, _RUN_SESSION: find_run_session(config)}

    def _open_run(
        self, config: RunnableConfig | None, kind: type[_Run]
    ) -> tuple[RunnableConfig, _Run]:
        """Return a config with a new run's id, and the run's callbacks."""
        whole = ensure_config(config)
        run_id = whole.get("run_id") or uuid7()
        handlers = _list_handlers(whole.get("callbacks"))
        run = kind(
            run_id=run_id,
            handlers=handlers + [h for h in _list_handlers(self.callbacks) if h not in handlers],
            inheritable_handlers=[],
            parent_run_id=getattr(whole.get("callbacks"), "parent_run_id", None),
            tags=whole.get("tags"),
            metadata=whole.get("metadata"),
        )
        return cast("RunnableConfig", {**(config or {}), "run_id": run_id}), run

    def _find_session(
        self,
        config: RunnableConfig | None,
        given: object,
        metadata: Mapping[str, Any] | None = None,
    ) -> str | None:
        return find_session(
            config,
            given=given,
            field=self.session_id,
            from_thread=self.session_from_thread,
            metadata=metadata,
        )

    # --- Requests ---

    @override
    def _get_request_payload(
        self, input_: LanguageModelInput, *, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        from langchain_asi_one._request.body import build_body  # noqa: PLC0415

        check_names(kwargs, CALL_ARGUMENTS, self._list_hints(), where="A call of ChatASIOne")
        if stop is not None:
            kwargs["stop"] = stop
        kwargs = {name: check_value(name, value) for name, value in kwargs.items()}
        if isinstance(model := kwargs.get("model"), str) and model not in self._warned:
            warn_if_retired(model)
            self._warned.add(model)
        fields, extra_body = self._merge_fields(kwargs)
        if not (isinstance(input_, list) and all(isinstance(m, BaseMessage) for m in input_)):
            input_ = self._convert_input(input_).to_messages()
        return build_body(fields, cast("list[BaseMessage]", input_), extra_body)

    def _merge_fields(self, kwargs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return a call's request fields, and the further ones, which win."""
        fields = {name: getattr(self, name) for name in MODEL_FIELDS}
        fields |= {"model": self.model_name, **kwargs}
        fields["stop"] = fields["stop"] or None
        more = fields.pop("extra_body", None)
        if not isinstance(more, Mapping | None):
            msg = f"extra_body must be a dict of request fields; got {more!r:.100}."
            raise ValueError(msg)  # noqa: TRY004 - as for any bad value
        return fields, {**(self.extra_body or {}), **(more or {})}

    @classmethod
    @cache
    def _list_hints(cls) -> dict[str, str]:
        """Return hints for the names that a call refuses.

        They are arguments of the constructor, or OpenAI's.
        """
        on_the_model = {
            name: f"It is set on the model: ChatASIOne({name}=…)."
            for name in cls._list_argument_names()
        }
        return ELSEWHERE | on_the_model

    def _build_request(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        run: CallbackManagerForLLMRun | AsyncCallbackManagerForLLMRun | None,
        options: dict[str, Any],
        *,
        stream: bool,
    ) -> ChatRequest:
        options = dict(options)
        given = options.pop("session_id", None)
        run_session_id = options.pop(_RUN_SESSION, None)
        listener = options.pop(_RUN, None) or run
        session_id = (
            self._find_session(None, given, run.metadata if run else None) or run_session_id
        )
        timeout = check_timeout(options.pop("timeout", None))
        deadline = check_deadline(options.pop("deadline", None))
        usage = options.pop("stream_usage", None)
        body = self._get_request_payload(messages, stop=stop, **options)
        body["stream"] = stream
        if not stream:
            body.pop("stream_options", None)
        elif self.stream_usage if usage is None else usage:
            body.setdefault("stream_options", {"include_usage": True})
        return ChatRequest(
            self._make_settings(),
            body,
            session_id or make_session_id(),
            timeout,
            deadline,
            on_retry=listener.on_retry if listener else None,
            tool_names=_tools.find_fitted_names(options.get("tools") or ()),
        )

    # --- Answers ---

    @property
    def _completions(self) -> CompletionsClient:
        if self._held_completions is None:
            from langchain_asi_one._transport.completions import CompletionsClient  # noqa: PLC0415

            self._held_completions = CompletionsClient()
        completions: CompletionsClient = self._held_completions
        return completions

    # LangChain looks into its cache in the next three methods.

    @override
    def _get_llm_string(self, stop: list[str] | None = None, **kwargs: Any) -> str:
        kwargs = {n: value for n, value in kwargs.items() if n not in (_RUN_SESSION, _RUN)}
        return super()._get_llm_string(stop=stop, **kwargs)

    @override
    def _generate_with_cache(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        model, kwargs = self._prepare_cache(kwargs, run_manager)
        result = super(ChatASIOne, model)._generate_with_cache(
            messages, stop, run_manager, **kwargs
        )
        return _complete_result(result, kwargs)

    @override
    async def _agenerate_with_cache(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        model, kwargs = self._prepare_cache(kwargs, run_manager)
        result = await super(ChatASIOne, model)._agenerate_with_cache(
            messages, stop, run_manager, **kwargs
        )
        return _complete_result(result, kwargs)

    def _prepare_cache(
        self,
        kwargs: dict[str, Any],
        run: CallbackManagerForLLMRun | AsyncCallbackManagerForLLMRun | None,
    ) -> tuple[Self, dict[str, Any]]:
        """Return complete arguments, and the model with its cache, if any."""
        kwargs = {**kwargs, _RUN: run}
        session_id = self._find_session(
            None, kwargs.get("session_id"), run.metadata if run else None
        )
        if session_id is not None:
            kwargs = {**kwargs, "session_id": session_id}
        elif not kwargs.get(_RUN_SESSION):
            parent = run.parent_run_id if run else None
            kwargs = {**kwargs, _RUN_SESSION: find_run_session(None, parent) or make_session_id()}
        cache = self.cache if isinstance(self.cache, BaseCache) else get_llm_cache()
        if self.cache is False or cache is None:
            return self, kwargs
        return self._copy_with_cache(not self._may_act(kwargs) and AnswerCache(cache)), kwargs

    def _copy_with_cache(self, cache: BaseCache | Literal[False]) -> Self:
        copied = self.model_copy(update={"cache": cache})
        copied._held_completions = self._completions  # noqa: SLF001 - the same class
        copied._warned = self._warned  # noqa: SLF001
        return copied

    def _may_act(self, kwargs: Mapping[str, Any]) -> bool:
        """Return whether a call can make agents act."""
        fields, extra_body = self._merge_fields(kwargs)
        return may_act(fields | extra_body)

    @override
    def _should_stream(self, *, async_api: bool, run_manager: Any = None, **kwargs: Any) -> bool:
        if self._may_act(kwargs):
            from langchain_asi_one._response.plan_events import is_watched  # noqa: PLC0415

            # `invoke` in a graph that streams custom events: they show the plan as it changes.
            kwargs = {**kwargs, "stream": True} if is_watched() else kwargs
        return super()._should_stream(async_api=async_api, run_manager=run_manager, **kwargs)

    @override
    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        request = self._build_request(messages, stop, run_manager, kwargs, stream=False)
        return self._read_body(self._completions.create(request), request)

    @override
    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        await preload_modules()
        request = self._build_request(messages, stop, run_manager, kwargs, stream=False)
        return self._read_body(await self._completions.acreate(request), request)

    @override
    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        from langchain_asi_one._response.messages import make_generation_chunk  # noqa: PLC0415
        from langchain_asi_one._response.plan_events import (  # noqa: PLC0415
            make_plan_chunk,
            send_plan_state,
        )

        with_plans = kwargs.pop(_WITH_PLANS, False)
        run = kwargs.get(_RUN) or run_manager
        request = self._build_request(messages, stop, run_manager, kwargs, stream=True)
        reader = self._open_reader(request)
        try:
            with closing(self._completions.stream(request)) as chunks:
                for chunk in chunks:
                    delta = reader.feed(chunk)
                    if "plan_state" in delta:
                        send_plan_state(delta["plan_state"], run)
                        if with_plans:
                            yield make_plan_chunk(delta["plan_state"])
                    if delta["text"] or delta["thought"] or delta["tool_calls"]:
                        generation = make_generation_chunk(delta, session_id=request.session_id)
                        if run_manager:
                            run_manager.on_llm_new_token(generation.text, chunk=generation)
                        yield generation
        except ASIOneError as error:
            text, thought = reader.text + error.partial_text, reader.thought + error.partial_thought
            raise error.with_partial(text=text, thought=thought) from None
        delta = self._close_reader(reader, request)
        generation = make_generation_chunk(delta, session_id=request.session_id)
        if run_manager:
            run_manager.on_llm_new_token(generation.text, chunk=generation)
        yield generation

    def _stream_chat_model_events(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[Any]:
        """Return LangChain's own events, with those of a plan, for protocol v3."""
        from langchain_core.language_models._compat_bridge import chunks_to_events  # noqa: PLC0415

        from langchain_asi_one._response.plan_events import add_plan_block  # noqa: PLC0415

        options = {**kwargs, _WITH_PLANS: self._may_act(kwargs)}
        chunks = self._stream(messages, stop, run_manager, **options)
        message_id = f"{LC_ID_PREFIX}-{run_manager.run_id}" if run_manager else None
        events = chunks_to_events(chunks, message_id=message_id)
        return add_plan_block(events) if options[_WITH_PLANS] else events

    @override
    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        await preload_modules()
        from langchain_asi_one._response.messages import make_generation_chunk  # noqa: PLC0415
        from langchain_asi_one._response.plan_events import (  # noqa: PLC0415
            asend_plan_state,
            make_plan_chunk,
        )

        with_plans = kwargs.pop(_WITH_PLANS, False)
        run = kwargs.get(_RUN) or run_manager
        request = self._build_request(messages, stop, run_manager, kwargs, stream=True)
        reader = self._open_reader(request)
        try:
            async with aclosing(self._completions.astream(request)) as chunks:
                async for chunk in chunks:
                    delta = reader.feed(chunk)
                    if "plan_state" in delta:
                        await asend_plan_state(delta["plan_state"], run)
                        if with_plans:
                            yield make_plan_chunk(delta["plan_state"])
                    if delta["text"] or delta["thought"] or delta["tool_calls"]:
                        generation = make_generation_chunk(delta, session_id=request.session_id)
                        if run_manager:
                            await run_manager.on_llm_new_token(generation.text, chunk=generation)
                        yield generation
        except ASIOneError as error:
            text, thought = reader.text + error.partial_text, reader.thought + error.partial_thought
            raise error.with_partial(text=text, thought=thought) from None
        delta = self._close_reader(reader, request)
        generation = make_generation_chunk(delta, session_id=request.session_id)
        if run_manager:
            await run_manager.on_llm_new_token(generation.text, chunk=generation)
        yield generation

    def _astream_chat_model_events(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[Any]:
        """Async version of `_stream_chat_model_events`."""
        from langchain_core.language_models._compat_bridge import achunks_to_events  # noqa: PLC0415

        from langchain_asi_one._response.plan_events import aadd_plan_block  # noqa: PLC0415

        options = {**kwargs, _WITH_PLANS: self._may_act(kwargs)}
        chunks = self._astream(messages, stop, run_manager, **options)
        message_id = f"{LC_ID_PREFIX}-{run_manager.run_id}" if run_manager else None
        events = achunks_to_events(chunks, message_id=message_id)
        return aadd_plan_block(events) if options[_WITH_PLANS] else events

    def _read_body(self, body: dict[str, Any], request: ChatRequest) -> ChatResult:
        from langchain_asi_one._response.messages import (  # noqa: PLC0415
            make_generation_info,
            make_message,
        )

        reader = self._open_reader(request)
        deltas = [reader.feed(body), self._close_reader(reader, request)]
        message = make_message(deltas, session_id=request.session_id)
        info = make_generation_info(deltas[-1])
        return ChatResult(generations=[ChatGeneration(message=message, generation_info=info)])

    def _open_reader(self, request: ChatRequest) -> AnswerReader:
        from langchain_asi_one._response.reader import AnswerReader  # noqa: PLC0415

        tools = _tools.list_parameter_schemas(request.body) if self.recover_tool_calls else None
        return AnswerReader(streamed=request.body["stream"], tools=tools, names=request.tool_names)

    def _close_reader(self, reader: AnswerReader, request: ChatRequest) -> Delta:
        """Return the last delta, with the response's headers if they are wanted."""
        delta = reader.close()
        if self.include_response_headers:
            delta["metadata"]["headers"] = dict(request.response_headers)
        self._warn_if_calls_are_missing(delta["metadata"])
        return delta

    def _warn_if_calls_are_missing(self, metadata: Mapping[str, Any]) -> None:
        """Warn once about an answer that announces tool calls but has none."""
        if metadata.get("tool_calls_missing") and "tool_calls_missing" not in self._warned:
            self._warned.add("tool_calls_missing")
            msg = (
                "ASI:One ended an answer with finish_reason 'tool_calls' but sent no call; such an "
                "answer has response_metadata['tool_calls_missing']. A tool_choice that names the "
                "tool may help."
            )
            warn_caller(msg, UserWarning)

    # --- Tools and structured output ---

    @override
    def bind_tools(
        self,
        tools: Sequence[Any],
        *,
        tool_choice: dict[str, Any] | str | bool | None = None,
        strict: bool | None = None,
        parallel_tool_calls: bool | None = None,
        response_format: Any = None,
        **kwargs: Any,
    ) -> FollowUpBinding:
        """Return the model with tools bound.

        Args:
            tools: Functions, Pydantic classes, TypedDicts, tools of LangChain or dicts.
                `{"type": "web_search"}` switches on ASI:One's own search.
            tool_choice: A tool's name, `"auto"`, `"any"` or `"required"` or `True` (some tool),
                `"none"`, or the wire form of a named tool.
            strict: Whether arguments must follow the schema exactly.
            parallel_tool_calls: Whether an answer may hold several calls; the API's default is yes.
            response_format: Schema of the answer when no tool is called.
            **kwargs: Request fields for all calls.

        Returns:
            The model with the tools bound.

        Raises:
            ValueError: If the API would refuse a tool's name, or `tool_choice` names no bound tool.

        Example:
            >>> def add(a: int, b: int) -> int:
            ...     "Add two numbers."
            ...     return a + b
            >>> model = ChatASIOne(api_key="any").bind_tools([add], tool_choice="add")
            >>> model.kwargs["tool_choice"]
            {'type': 'function', 'function': {'name': 'add'}}
        """
        made = super().bind_tools(
            # A schema of the answer is what `strict` is for then; `create_agent` gives it for all
            # that derives from OpenAI's class, and the tools were not written for it.
            _tools.convert_tools(tools, strict=None if response_format is not None else strict),
            tool_choice=tool_choice,
            parallel_tool_calls=parallel_tool_calls,
            **kwargs,
        )
        bound: FollowUpBinding = convert_binding(made)
        if undescribed := _tools.list_undescribed(tools):
            msg = (
                f"No docstring: {', '.join(undescribed)}. The model knows such a tool by its name "
                "only; say in a docstring what it does."
            )
            warn_caller(msg, UserWarning)
        if response_format is not None:
            bound = bound.bind(
                response_format=_tools.make_response_format(response_format, strict=strict)
            )
        options = bound.kwargs
        functions, web_search = _tools.split_web_search(options["tools"])
        if functions and options.get("tool_choice") is not None:
            _tools.check_tool_choice(options["tool_choice"], functions)
        if not web_search:
            return bound
        options = {**options, "tools": functions, "web_search": True}
        if not functions:
            for name in ("tools", "tool_choice", "parallel_tool_calls"):
                options.pop(name, None)
        return self.bind(**options)

    @overload
    def with_structured_output(
        self,
        schema: type[_Data],
        *,
        method: StructuredOutputMethod = ...,
        include_raw: Literal[False] = ...,
        strict: bool | None = ...,
        tools: list[Any] | None = ...,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, _Data]: ...

    @overload
    def with_structured_output(
        self,
        schema: type[_Data],
        *,
        method: StructuredOutputMethod = ...,
        include_raw: Literal[True],
        strict: bool | None = ...,
        tools: list[Any] | None = ...,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, RawAndParsed[_Data]]: ...

    @overload
    def with_structured_output(
        self,
        schema: Any = ...,
        *,
        method: StructuredOutputMethod = ...,
        include_raw: Literal[True],
        strict: bool | None = ...,
        tools: list[Any] | None = ...,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, RawAndParsed[Any]]: ...

    @overload
    def with_structured_output(
        self,
        schema: Any = ...,
        *,
        method: StructuredOutputMethod = ...,
        include_raw: bool = ...,
        strict: bool | None = ...,
        tools: list[Any] | None = ...,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]: ...

    @override
    def with_structured_output(
        self,
        schema: Any = None,
        *,
        method: StructuredOutputMethod = "function_calling",
        include_raw: bool = False,
        strict: bool | None = None,
        tools: list[Any] | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """Return a model that answers with data of a schema.

        Args:
            schema: Pydantic class (its instances are returned), TypedDict, JSON schema or tool in
                wire form (dicts are returned). May be left out with `json_mode`.
            method: `function_calling` (a tool call), `json_schema` (`response_format` with the
                schema) or `json_mode` (`response_format` without it; the prompt must describe the
                JSON, and name it so).
            include_raw: Whether to return `{raw, parsed, parsing_error}` and not to raise.
            strict: Whether the answer must follow the schema exactly; not for `json_mode`.
            tools: Tools that the model may call before it answers; for `json_schema` only.
            **kwargs: Request fields for all calls.

        Returns:
            The model with a parser behind it.

        Raises:
            ValueError: If arguments do not go together.
            OutputParserException: From the chain, if the answer is not complete JSON of the schema.
            ModelRefusalError: From the chain, if the model refused (langchain-core 1.7.5 or newer).

        Example:
            >>> from pydantic import BaseModel
            >>> from langchain_asi_one.testing import local_asi_one
            >>> class City(BaseModel):
            ...     name: str
            >>> with local_asi_one() as server:
            ...     model = ChatASIOne(base_url=server.base_url, api_key="any")
            ...     model.with_structured_output(City).invoke("Tell me about the city Paris.")
            City(name='Paris')
        """
        from langchain_asi_one._structured_output.chains import build_chain  # noqa: PLC0415 - only some need it

        return build_chain(
            self,
            schema,
            method=method,
            include_raw=include_raw,
            strict=strict,
            tools=tools,
            **kwargs,
        )

    # --- Deferred answers ---

    def with_follow_up(
        self,
        *,
        interval: float = INTERVAL,
        max_polls: int = MAX_POLLS,
        is_pending: Callable[[AIMessage], bool] | None = None,
        message: str = "Any update?",
        on_pending: OnPending = "return",
    ) -> FollowUpRunnable:
        """Return a model that polls the session until agents have answered.

        `langchain_asi_one.follow_up.with_follow_up` has the rules. Bind tools and config before or
        after. A parser goes behind: `model.with_follow_up() | parser`.

        Args:
            interval: Seconds between an answer and the next poll, above 0 and up to 86,400.
            max_polls: Most polls for one question, 1 to 1,000.
            is_pending: Replaces the default rule: whether an answer is still to come.
            message: Text of a poll.
            on_pending: What to do if the last poll brings no answer: `"return"` the last one with
                `response_metadata["pending"] = True`, or `"raise"` `AnswerPendingError`.

        Returns:
            A Runnable with the input and output of this model.

        Raises:
            ValueError: If an argument is out of range.

        Example:
            >>> from langchain_asi_one.testing import local_asi_one
            >>> with local_asi_one() as server:  # answers at the second poll
            ...     model = ChatASIOne(base_url=server.base_url, api_key="any")
            ...     message = model.with_follow_up(interval=0.01).invoke("[deferred: 2] A table?")
            >>> message.response_metadata["follow_up_polls"]
            2
        """
        return with_follow_up(
            self,
            interval=interval,
            max_polls=max_polls,
            is_pending=is_pending,
            message=message,
            on_pending=on_pending,
        )

    @override
    def configurable_fields(self, **kwargs: Any) -> ConfigurableFields:
        return ConfigurableFields(**vars(super().configurable_fields(**kwargs)))

    @override
    def configurable_alternatives(
        self, which: ConfigurableField, **kwargs: Any
    ) -> ConfigurableAlternatives:
        made = super().configurable_alternatives(which, **kwargs)
        return ConfigurableAlternatives(**vars(made))

    # --- Token counts: ASI:One publishes no tokenizer. ---

    @override
    def get_num_tokens(self, text: str) -> int:
        """Estimate the tokens of a text; ASI:One publishes no tokenizer.

        Four Latin characters count as a token, four Chinese ones as three.

        Args:
            text: Any text.

        Returns:
            The estimate; with `custom_get_token_ids` its count.

        Example:
            >>> ChatASIOne(api_key="any").get_num_tokens("Why is the sky blue?")
            5
        """
        if self.custom_get_token_ids is not None:
            return len(self.custom_get_token_ids(text))
        return estimate_tokens(text)

    @override
    def get_token_ids(self, text: str) -> list[int]:
        """Return token ids by `custom_get_token_ids`; ASI:One publishes no tokenizer.

        Args:
            text: Any text.

        Returns:
            Token ids.

        Raises:
            NotImplementedError: If no `custom_get_token_ids` was given.

        Example:
            >>> model = ChatASIOne(api_key="any", custom_get_token_ids=lambda text: [1, 2])
            >>> model.get_token_ids("Hi")
            [1, 2]
        """
        if self.custom_get_token_ids is not None:
            return self.custom_get_token_ids(text)
        msg = (
            "ASI:One publishes no tokenizer. Use get_num_tokens for an estimate, or pass "
            "custom_get_token_ids=."
        )
        raise NotImplementedError(msg)

    @override
    def get_num_tokens_from_messages(
        self, messages: Sequence[BaseMessage], tools: Sequence[Any] | None = None, **kwargs: Any
    ) -> int:
        """Estimate the tokens of a conversation, as `get_num_tokens` of a text.

        Args:
            messages: The conversation.
            tools: Tools sent with it.
            **kwargs: Not used; other models take more.

        Returns:
            The estimate. The API counts a hidden prompt of its own besides, about 2,000 tokens in
            the sample `asi1-2026-01-completion-quickstart.json`.

        Example:
            >>> from langchain_core.messages import HumanMessage
            >>> ChatASIOne(api_key="any").get_num_tokens_from_messages([HumanMessage("Hello!")])
            6
        """
        from langchain_asi_one._request.messages import convert_messages  # noqa: PLC0415

        wires = convert_messages(messages)
        return count_message_tokens(wires, tools or (), self.get_num_tokens)


def _list_handlers(callbacks: Callbacks) -> list[BaseCallbackHandler]:
    return callbacks if isinstance(callbacks, list) else callbacks.handlers if callbacks else []


def _complete_result(result: ChatResult, kwargs: Mapping[str, Any]) -> ChatResult:
    """Count tokens as older callbacks read them; drop a cached answer's session."""
    answer = result.generations[0].message
    usage = getattr(answer, "usage_metadata", None)
    if usage and "total_cost" not in usage:  # LangChain's mark of a cached answer
        # Only now: LangChain has merged an earlier one into the metadata of the message.
        names = {"input": "prompt", "output": "completion", "total": "total"}
        counts = {f"{wire}_tokens": usage[f"{name}_tokens"] for name, wire in names.items()}
        name = answer.response_metadata.get("model_name")
        result.llm_output = {"token_usage": counts, "model_name": name}
    own = kwargs.get("session_id") or kwargs.get(_RUN_SESSION)
    for place, generation in enumerate(result.generations):
        metadata = generation.message.response_metadata
        if metadata.get("session_id", own) != own:
            rest = {name: value for name, value in metadata.items() if name != "session_id"}
            message = generation.message.model_copy(update={"response_metadata": rest})
            result.generations[place] = generation.model_copy(update={"message": message})
    return result
