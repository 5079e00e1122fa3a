"""Waiting for an answer that ASI:One gives later, in the same session.

`ChatASIOne.with_follow_up` is the short way here; `with_follow_up` of this module does the same for
any Runnable that takes messages and gives an answer of `ChatASIOne`. To wait in a LangGraph graph,
with one checkpoint per poll, see `langchain_asi_one.langgraph`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias, cast

from langchain_core.callbacks import (
    AsyncCallbackManagerForChainRun,
    CallbackManagerForChainRun,
    adispatch_custom_event,
    dispatch_custom_event,
)
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.runnables import (
    Runnable,
    RunnableBinding,
    RunnableConfig,
    RunnableSerializable,
)
from langchain_core.runnables.config import patch_config
from langchain_core.runnables.configurable import (
    RunnableConfigurableAlternatives,
    RunnableConfigurableFields,
)
from langchain_core.runnables.fallbacks import RunnableWithFallbacks
from langchain_core.runnables.graph import Graph
from langchain_core.runnables.utils import ConfigurableFieldSpec
from pydantic import ConfigDict
from typing_extensions import override

from langchain_asi_one._follow_up.pending_rule import (
    INTERVAL,
    MAX_POLLS,
    PASSING_ERRORS,
    FollowUpRule,
    is_deferred,
)
from langchain_asi_one._follow_up.poll_state import AnswerBuffer, PollState
from langchain_asi_one._request.session import SENT_SESSION, UNCACHED
from langchain_asi_one.errors import ASIOneError, ErrorInfo

__all__ = [
    "AnswerPendingError",
    "is_deferred",
    "with_follow_up",
]


if TYPE_CHECKING:
    # LangChain's own subclass, which only adds types.
    from langchain_core.language_models.chat_models import _ChatModelBinding as _Binding
else:
    _Binding = RunnableBinding[LanguageModelInput, AIMessage]


# Arguments of a call that go with its tools.
_OF_TOOLS = ("tools", "tool_choice", "parallel_tool_calls")

EVENT = "asi_one_follow_up"
"""Name of the custom event of each answer that is still to come."""

OnPending: TypeAlias = Literal["return", "raise"]
"""What to do when the last poll brought nothing new."""


class AnswerPendingError(ASIOneError):
    """The last poll was made, and the answer has not come.

    It is not retryable: a retry would ask the first question again. Ask in its `session_id` later.

    Args:
        answer: The last answer, marked as `with_follow_up` returns it.
        polls: How many polls were made.

    Attributes:
        answer: As given.
        polls: As given.

    Example:
        >>> from langchain_asi_one import ChatASIOne
        >>> from langchain_asi_one.testing import local_asi_one
        >>> with local_asi_one() as server:
        ...     model = ChatASIOne(base_url=server.base_url, api_key="any", session_id="chat-42")
        ...     patient = with_follow_up(model, interval=0.01, max_polls=1, on_pending="raise")
        ...     try:
        ...         patient.invoke("[deferred: 9] Any table?")
        ...     except AnswerPendingError as error:
        ...         print(error.polls, error.session_id, error.is_retryable)
        1 chat-42 False
    """

    def __init__(self, answer: AIMessage, polls: int) -> None:
        text = str(answer.text)
        shown = repr(text) if len(text) <= 80 else f"{text[:80]!r}…"
        metadata = answer.response_metadata
        msg = (
            f"ASI:One has not given its answer yet: after {polls} polls it still says {shown}. Ask "
            f"again later in session {metadata.get('session_id')}, or raise max_polls or interval."
        )
        if failure := metadata.get("follow_up_error"):
            msg += f" The last poll failed: {failure}"
        info = ErrorInfo(
            model=metadata.get("model_name"),
            session_id=metadata.get("session_id"),
            may_have_acted=True,
            partial_text=text,
        )
        super().__init__(msg, info)
        self.answer = answer
        self.polls = polls

    @override
    def with_partial(self, *, text: str, thought: str) -> Self:
        """Return the error as it is: its answer is whole."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.answer, self.polls)


class BindingMaker:
    """Makes bindings that keep what is bound.

    LangChain's own pass `bind_tools` and its like on to what they bind, and drop what is bound.
    """

    def bind(self, **kwargs: Any) -> FollowUpBinding:
        """Bind arguments of each call."""
        made = cast("Any", super()).bind(**kwargs)
        return cast("FollowUpBinding", convert_binding(made))

    def with_config(self, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Bind a config."""
        return convert_binding(cast("Any", super()).with_config(config, **kwargs))

    def with_types(self, input_type: Any = None, output_type: Any = None) -> FollowUpBinding:
        """Bind types of input and output."""
        made = cast("Any", super()).with_types(input_type=input_type, output_type=output_type)
        return cast("FollowUpBinding", convert_binding(made))

    def with_listeners(self, **listeners: Any) -> FollowUpBinding:
        """Bind listeners."""
        made = cast("Any", super()).with_listeners(**listeners)
        return cast("FollowUpBinding", convert_binding(made))

    def with_alisteners(self, **listeners: Any) -> FollowUpBinding:
        """Async version of `with_listeners`."""
        made = cast("Any", super()).with_alisteners(**listeners)
        return cast("FollowUpBinding", convert_binding(made))

    def with_fallbacks(
        self, fallbacks: Sequence[Runnable[Any, Any]], **options: Any
    ) -> ModelFallbacks:
        """Add what answers if this fails."""
        made = cast("Any", super()).with_fallbacks(fallbacks, **options)
        return ModelFallbacks(**{name: getattr(made, name) for name in type(made).model_fields})


class FollowUpRunnable(BindingMaker, RunnableSerializable[LanguageModelInput, AIMessage]):
    """A Runnable that asks again until a deferred answer has come.

    `with_follow_up` makes it.

    Args:
        bound: What answers: a `ChatASIOne`, or a Runnable around one that takes messages.
        rule: How to wait.
        on_pending: What to do when the last poll brought nothing: `"return"` the last answer, or
            `"raise"` `AnswerPendingError`.

    Example:
        >>> from langchain_asi_one import ChatASIOne
        >>> patient = with_follow_up(ChatASIOne(api_key="any"), max_polls=3)
        >>> patient.rule.interval, patient.rule.max_polls, patient.on_pending
        (20.0, 3, 'return')
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    bound: Runnable[Any, Any]
    rule: FollowUpRule = FollowUpRule()
    on_pending: OnPending = "return"

    @property
    @override
    def InputType(self) -> Any:
        return self.bound.InputType

    @property
    @override
    def OutputType(self) -> Any:
        return self.bound.OutputType

    @property
    @override
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        return self.bound.config_specs

    @override
    def get_graph(self, config: RunnableConfig | None = None) -> Graph:
        return self.bound.get_graph(config)

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> FollowUpRunnable:
        """Bind tools inside the wait; the arguments are those of `ChatASIOne.bind_tools`.

        Raises:
            ValueError: If what is inside takes no tools, or as `ChatASIOne.bind_tools`.
        """
        bind_tools = getattr(self.bound, "bind_tools", None)
        if bind_tools is None:
            msg = (
                f"A {type(self.bound).__name__} takes no tools: bind them to the model first, as "
                "in with_follow_up(model.bind_tools([...]).with_retry())."
            )
            raise ValueError(msg)
        bound = bind_tools(tools, **kwargs)
        return FollowUpRunnable(bound=bound, rule=self.rule, on_pending=self.on_pending)

    @override
    def invoke(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Answer, and wait for the real answer if need be; see `with_follow_up`.

        One session is kept for the question and its polls, and so are the arguments of the call.

        Raises:
            AnswerPendingError: If the last poll brought nothing, and `on_pending` is `"raise"`.
            ASIOneError: If a call failed.
        """
        return self._call_with_config(self._invoke, input, config, **kwargs)

    @override
    async def ainvoke(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Async version of `invoke`."""
        return await self._acall_with_config(self._ainvoke, input, config, **kwargs)

    @override
    def stream(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Iterator[AIMessage]:
        """Answer in chunks whose sum is what `invoke` returns; see `with_follow_up`.

        There are no chunks of a placeholder.

        Raises:
            AnswerPendingError: As for `invoke`.
            ASIOneError: As for `invoke`.
        """
        return self._transform_stream_with_config(iter([input]), self._stream, config, **kwargs)

    @override
    def astream(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[AIMessage]:
        """Async version of `stream`."""
        return self._atransform_stream_with_config(_iterate(input), self._astream, config, **kwargs)

    def _invoke(
        self,
        question: LanguageModelInput,
        run_manager: CallbackManagerForChainRun,
        config: RunnableConfig,
        **kwargs: Any,
    ) -> AIMessage:
        state = PollState(self.rule, question)
        while not state.is_done:
            input_ = state.make_next_input()
            child = _make_child_config(config, run_manager, state)
            try:
                state.record(self.bound.invoke(input_, child, **kwargs))
            except PASSING_ERRORS as error:
                if state.last_answer is None:
                    raise
                state.record_error(error)
            if state.is_pending:
                dispatch_custom_event(EVENT, state.make_event(), config=child)
                time.sleep(state.next_poll_in or 0)
        self._raise_if_pending(state)
        return state.make_result()

    async def _ainvoke(
        self,
        question: LanguageModelInput,
        run_manager: AsyncCallbackManagerForChainRun,
        config: RunnableConfig,
        **kwargs: Any,
    ) -> AIMessage:
        state = PollState(self.rule, question)
        while not state.is_done:
            input_ = state.make_next_input()
            child = _make_child_config(config, run_manager, state)
            try:
                state.record(await self.bound.ainvoke(input_, child, **kwargs))
            except PASSING_ERRORS as error:
                if state.last_answer is None:
                    raise
                state.record_error(error)
            if state.is_pending:
                await adispatch_custom_event(EVENT, state.make_event(), config=child)
                await asyncio.sleep(state.next_poll_in or 0)
        self._raise_if_pending(state)
        return state.make_result()

    def _stream(
        self,
        inputs: Iterator[LanguageModelInput],
        run_manager: CallbackManagerForChainRun,
        config: RunnableConfig,
        **kwargs: Any,
    ) -> Iterator[AIMessage]:
        state = PollState(self.rule, next(inputs))
        held = AnswerBuffer(state)
        while not state.is_done:
            answer = AnswerBuffer(state)
            input_ = state.make_next_input()
            child = _make_child_config(config, run_manager, state)
            try:
                with closing(cast("Any", self.bound.stream(input_, child, **kwargs))) as pieces:
                    for piece in pieces:
                        yield from answer.feed(piece)
                if answer.close():
                    held = answer
            except PASSING_ERRORS as error:
                if state.last_answer is None or answer.is_released:
                    raise
                state.record_error(error)
            if state.is_pending:
                dispatch_custom_event(EVENT, state.make_event(), config=child)
                time.sleep(state.next_poll_in or 0)
        self._raise_if_pending(state)
        yield from held.flush()

    async def _astream(
        self,
        inputs: AsyncIterator[LanguageModelInput],
        run_manager: AsyncCallbackManagerForChainRun,
        config: RunnableConfig,
        **kwargs: Any,
    ) -> AsyncIterator[AIMessage]:
        state = PollState(self.rule, await anext(inputs))
        held = AnswerBuffer(state)
        while not state.is_done:
            answer = AnswerBuffer(state)
            input_ = state.make_next_input()
            child = _make_child_config(config, run_manager, state)
            stream = cast("Any", self.bound.astream(input_, child, **kwargs))
            try:
                async with aclosing(stream) as pieces:
                    async for piece in pieces:
                        for released in answer.feed(piece):
                            yield released
                if answer.close():
                    held = answer
            except PASSING_ERRORS as error:
                if state.last_answer is None or answer.is_released:
                    raise
                state.record_error(error)
            if state.is_pending:
                await adispatch_custom_event(EVENT, state.make_event(), config=child)
                await asyncio.sleep(state.next_poll_in or 0)
        self._raise_if_pending(state)
        for released in held.flush():
            yield released

    def _raise_if_pending(self, state: PollState) -> None:
        if state.is_pending and self.on_pending == "raise":
            raise AnswerPendingError(state.make_result(), state.polls)


def with_follow_up(
    runnable: Runnable[Any, Any],
    *,
    interval: float = INTERVAL,
    max_polls: int = MAX_POLLS,
    is_pending: Callable[[AIMessage], bool] | None = None,
    message: str = "Any update?",
    on_pending: OnPending = "return",
) -> FollowUpRunnable:
    """Wait for deferred answers: ask again in the same session.

    An answer of ASI:One that an agent has yet to give is a placeholder sentence. This Runnable then
    sends the conversation, that sentence and `message` in the session of the first answer, every
    `interval` seconds, until the text changes or `max_polls` polls were made. The defaults, 20 s
    and 15 polls, fit a plan of 3 requests a minute; ASI:One's documentation has 5 s and 24 polls.
    By default an answer is still to come if

    - the first one is nothing but "I've sent the message" (`is_deferred`) and does not answer the
      result of a local tool, which may be what was sent;
    - a later one is that sentence, repeats the answer before it, or is empty.

    An answer with tool calls, or without `response_metadata["session_id"]` (of another provider),
    is never asked after. Other answers cost nothing: no poll, and nothing is added to them.

    `stream` gives only the last answer, so its sum is what `invoke` returns: an answer is held back
    while its text could still be a placeholder (with `is_pending`, to its end). Each answer that is
    still to come gives a custom event `asi_one_follow_up` (`astream_events`, callbacks) with
    `poll`, `max_polls`, `text`, `session_id` and `next_poll_in` (seconds; `None` after the last).

    A poll that fails with a rate limit, a timeout, a lost connection or a server error (5xx) means
    "not yet": it counts as a poll, its event has an `error`, and the wait goes on. A longer
    `Retry-After` is waited; these delays add up to at most `interval * max_polls` seconds. Other
    errors are raised, and so are all errors of the question itself, and of an answer that `stream`
    has begun to give. A `rate_limiter` of the model spaces polls too. Put `with_retry` inside, not
    around, so that the question is asked once: `with_follow_up(model.with_retry())`.

    Args:
        runnable: A `ChatASIOne`, or a Runnable around one that takes messages and gives its answer,
            such as `model.bind_tools(...)` or `model.with_retry()`.
        interval: Seconds between an answer and the next poll, above 0 and up to 86,400.
        max_polls: Most polls for one question, 1 to 1,000.
        is_pending: Takes an answer and decides, instead of the default rule, for the first and
            every later one, whether the real answer is still to come.
        message: What a poll says.
        on_pending: What to do when the last poll brought nothing new: `"return"` the last answer
            with `response_metadata["pending"] = True` (and `follow_up_error` if that poll failed),
            or `"raise"` `AnswerPendingError`.

    Returns:
        The Runnable. Its answer has `response_metadata["follow_up_polls"]` if polls were made.

    Raises:
        ValueError: If an argument is out of range.

    Source:
        ASI:One's documentation of agentic models: the sentence, "Any update?" in the same session
        every 5 seconds, up to 24 times, until the text differs from the one before.

    Example:
        >>> from langchain_asi_one import ChatASIOne
        >>> from langchain_asi_one.testing import local_asi_one
        >>> with local_asi_one() as server:  # answers at the second poll
        ...     model = ChatASIOne(base_url=server.base_url, api_key="any")
        ...     patient = with_follow_up(model.with_retry(), interval=0.01)
        ...     patient.invoke("[deferred: 2] Any table?").response_metadata["follow_up_polls"]
        2
    """
    if not isinstance(runnable, Runnable):
        msg = f"with_follow_up takes a Runnable such as ChatASIOne; got {type(runnable).__name__}"
        raise ValueError(msg)  # noqa: TRY004 - arguments are refused as ValueError everywhere
    if on_pending not in ("return", "raise"):
        msg = f"on_pending must be 'return' or 'raise'; got {on_pending!r}"
        raise ValueError(msg)
    rule = FollowUpRule(interval, max_polls, is_pending, message)
    return FollowUpRunnable(bound=runnable, rule=rule, on_pending=on_pending)


class FollowUpBinding(BindingMaker, _Binding):
    """A binding of `ChatASIOne`, as `bind`, `bind_tools` and `with_config` return it.

    What it binds may also be a model that waits, or one with fallbacks.
    """

    @classmethod
    @override
    def lc_id(cls) -> list[str]:
        return RunnableBinding.lc_id()

    def with_follow_up(self, **arguments: Any) -> FollowUpRunnable:
        """Wait as `ChatASIOne.with_follow_up`, with what is bound; the same arguments."""
        return with_follow_up(self, **arguments)

    def bind_tools(self, tools: Sequence[Any], **arguments: Any) -> FollowUpBinding:
        """Bind tools as `ChatASIOne.bind_tools`, beside what is bound; they replace other tools."""
        bound: Any = cast("Any", self.bound).bind_tools(tools, **arguments)
        if not isinstance(bound, RunnableBinding):
            return self.model_copy(update={"bound": bound})
        more = bound.kwargs
        replaced = _OF_TOOLS if "tools" in more else ()
        kept = {name: value for name, value in self.kwargs.items() if name not in replaced}
        return self.model_copy(update={"kwargs": {**kept, **more}})

    def with_structured_output(
        self, schema: Any = None, **arguments: Any
    ) -> Runnable[LanguageModelInput, Any]:
        """Answer with data as `ChatASIOne.with_structured_output`, beside what is bound."""
        if isinstance(self.bound, FollowUpRunnable):
            msg = "A model that waits answers with messages: model.with_follow_up() | parser."
            raise TypeError(msg)
        if isinstance(self.bound, ModelFallbacks):
            # A chain takes no arguments of a call, so each model gets what is bound.
            chain: Any = self.bound.bind_each(self.kwargs)
            bound = chain.with_structured_output(schema, **arguments)
            return self.model_copy(update={"bound": bound, "kwargs": {}})
        from langchain_asi_one._structured_output.chains import build_chain  # noqa: PLC0415

        return build_chain(self, schema, **arguments)


class _ConfigurableModel(BindingMaker):
    """What a configurable `ChatASIOne` has beside LangChain's methods.

    LangChain passes these methods on to the model and drops what is configurable.
    """

    default: Any

    def with_follow_up(self, **arguments: Any) -> FollowUpRunnable:
        """Wait as `ChatASIOne.with_follow_up`; the same arguments."""
        return with_follow_up(cast("Any", self), **arguments)

    def bind_tools(self, tools: Sequence[Any], **arguments: Any) -> FollowUpBinding:
        """Bind tools to the configurable model, as `ChatASIOne.bind_tools`."""
        return self.bind(**self.default.bind_tools(tools, **arguments).kwargs)

    def with_structured_output(
        self, schema: Any = None, **arguments: Any
    ) -> Runnable[LanguageModelInput, Any]:
        """Answer with data as `ChatASIOne.with_structured_output`."""
        return self.bind().with_structured_output(schema, **arguments)


# Without type parameters, with which Pydantic would try to build the abstract class of `default`.


class ConfigurableFields(_ConfigurableModel, RunnableConfigurableFields):  # type: ignore[type-arg]
    """A `ChatASIOne` some fields of which are configurable."""

    @classmethod
    @override
    def lc_id(cls) -> list[str]:
        return RunnableConfigurableFields.lc_id()


class ConfigurableAlternatives(_ConfigurableModel, RunnableConfigurableAlternatives):  # type: ignore[type-arg]
    """A `ChatASIOne` that other models can be configured to replace."""

    @classmethod
    @override
    def lc_id(cls) -> list[str]:
        return RunnableConfigurableAlternatives.lc_id()


class ModelFallbacks(BindingMaker, RunnableWithFallbacks):  # type: ignore[type-arg]
    """A model with others that answer if it fails."""

    def bind_each(self, arguments: Mapping[str, Any]) -> Self:
        """Bind arguments to each of the models."""
        first, *others = [model.bind(**arguments) for model in self.runnables]
        return self.model_copy(update={"runnable": first, "fallbacks": others})

    @classmethod
    @override
    def lc_id(cls) -> list[str]:
        return RunnableWithFallbacks.lc_id()


def convert_binding(made: Any) -> Any:
    """Convert LangChain's binding to one that keeps what is bound."""
    if isinstance(made, FollowUpBinding) or not isinstance(made, RunnableBinding):
        return made
    return FollowUpBinding(**{name: getattr(made, name) for name in RunnableBinding.model_fields})


def make_session_config(config: RunnableConfig, session_id: str | None) -> RunnableConfig:
    """Return a config with a session, for all models run with it.

    Args:
        config: Any config.
        session_id: The session; with `None` the config stays as it is.

    Returns:
        The config; models take its session before that of a thread, and read no cache.
    """
    if session_id is None:
        return config
    return _configure(config, {SENT_SESSION: session_id, UNCACHED: True})


def _configure(config: RunnableConfig, values: dict[str, Any]) -> RunnableConfig:
    return {**config, "configurable": {**(config.get("configurable") or {}), **values}}


def _make_child_config(
    config: RunnableConfig,
    run_manager: CallbackManagerForChainRun | AsyncCallbackManagerForChainRun,
    state: PollState,
) -> RunnableConfig:
    tag = f"follow_up:poll:{state.polls}" if state.polls else None
    child = patch_config(config, callbacks=run_manager.get_child(tag))
    if state.rule.is_pending is not None:
        # A cached answer names no session, in which one that is pending could be asked after.
        child = _configure(child, {UNCACHED: True})
    return make_session_config(child, state.session_id)


async def _iterate(question: LanguageModelInput) -> AsyncIterator[LanguageModelInput]:
    yield question
