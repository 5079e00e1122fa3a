"""The routing demo: the example graph, shown step by step."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from typing_extensions import override

from langchain_asi_one._agent_identity import identify_agent
from langchain_asi_one._cli.ask import Endpoint, open_model
from langchain_asi_one._cli.asker import Asker, open_asker, print_asker
from langchain_asi_one._cli.options import collect_model_arguments, make_parser, read_options
from langchain_asi_one._cli.run import complain, print_endpoint, run_command
from langchain_asi_one._json.printable import make_one_line, make_printable
from langchain_asi_one.display._agent_answer import list_agent_fields
from langchain_asi_one.display._printer import choose_printer
from langchain_asi_one.display._show import card
from langchain_asi_one.display._text import Line, TextSection
from langchain_asi_one.executable_data import get_executable_data, is_agent_address
from langchain_asi_one.langgraph import allow_agents
from langchain_asi_one.langgraph.example import ALLOW, example_graph

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from langchain_core.messages import BaseMessage
    from langchain_core.runnables import RunnableConfig
    from langgraph.graph.state import CompiledStateGraph
    from langgraph.types import Interrupt

    from langchain_asi_one.chat_models import ChatASIOne
    from langchain_asi_one.executable_data import ExecutableEntry
    from langchain_asi_one.langgraph import AgentGraphState, AgentResult

_QUESTION: Final = "Which good and bad agents tell the weather in Paris?"
_WHY_BAD: Final = "(Asked about bad agents, the stand-in also names one whose address is wrong.)"
_MAX_NAME: Final = 100
_LABEL: Final = 11


def main(arguments: Sequence[str] | None = None) -> int:
    """Route one question and return the exit status.

    `arguments` are by default those of the process.
    """
    options = _read_options(arguments)
    with _complain_for_logger():
        return run_command(lambda: _route(options))


class _ComplaintHandler(logging.Handler):
    """Writes what this package logs as one line each, without a traceback."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        complain(record.levelname.lower(), record.getMessage())


@contextmanager
def _complain_for_logger() -> Iterator[None]:
    logger, handler = logging.getLogger("langchain_asi_one"), _ComplaintHandler(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def _read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser(
        "python -m langchain_asi_one.langgraph",
        "Route to the agents that ASI:One names, and refuse those not allowed.",
        question=_QUESTION,
        more="Only agents that --allow names are asked; by default the stand-in's weather agent. ",
    )
    parser.add_argument(
        "--allow",
        action="append",
        type=_parse_agent,
        metavar="AGENT",
        default=None,
        help="an address or handle that may be asked; can be given again",
    )
    parser.add_argument(
        "--review",
        action="store_true",
        default=False,
        help="ask you (y/n) before each agent; otherwise approve",
    )
    parser.add_argument(
        "--direct",
        action="store_true",
        default=False,
        help="ask the agents themselves, not through ASI:One (extra `agents`)",
    )
    return read_options(parser, arguments)


def _parse_agent(text: str) -> str:
    try:
        allow_agents({text})
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from problem
    return text


def _route(options: argparse.Namespace) -> None:
    arguments = collect_model_arguments(options)
    with ExitStack() as stack:
        asker, allow = None, frozenset(options.allow or ALLOW)
        if options.direct:
            asker = stack.enter_context(open_asker(offline=options.offline))
            arguments["known"] = asker.known
            allow = frozenset(options.allow or asker.trusted or ALLOW)
        opened = stack.enter_context(open_model(offline=options.offline, **arguments))
        _show_run(*opened, asker, allow, options)


def _show_run(
    endpoint: Endpoint,
    model: ChatASIOne,
    asker: Asker | None,
    allow: frozenset[str],
    options: argparse.Namespace,
) -> None:
    printer = choose_printer(sys.stdout)
    worker = asker.chat.worker() if asker else None
    graph = example_graph(model, allow=allow, worker=worker, checkpointer=InMemorySaver())
    config: RunnableConfig = {"configurable": {"thread_id": str(uuid4())}}

    def show(title: str, lines: Iterable[Line]) -> None:
        printer.print_section(TextSection(title, tuple(lines)))

    print_endpoint(printer, endpoint)
    if asker:
        print_asker(printer, asker)
    printer.print_card(card(graph))
    asked = [options.question]
    if options.offline and options.question == _QUESTION:
        asked.append(_WHY_BAD)
    show("Question", [Line(make_printable(text)) for text in asked])
    todo: Any = {"messages": [HumanMessage(options.question)]}
    with asyncio.Runner() as runner:
        while todo is not None:
            steps = _Steps(show, allow_agents(allow))
            runner.run(steps.run(graph, todo, config))
            todo = None
            # Outside the loop, where an interrupt of the user ends the wait for a key.
            for pause in steps.pauses:
                show("Review", _describe_review(pause.value))
                decisions = _decide(pause.value, by_human=options.review)
                show("Decisions", _describe_decisions(decisions, by_human=options.review))
                todo = Command(resume={pause.id: {"decisions": decisions}})
    last = graph.get_state(config).values["messages"][-1]
    show("Session", [Line(make_one_line(last.response_metadata["session_id"]))])


class _Steps:
    """Shows the updates of a graph until it ends or pauses."""

    def __init__(
        self,
        show: Callable[[str, Iterable[Line]], None],
        is_allowed: Callable[[ExecutableEntry], bool],
    ) -> None:
        self.pauses: list[Interrupt] = []
        self._show = show
        self._is_allowed = is_allowed

    async def run(
        self,
        graph: CompiledStateGraph[AgentGraphState, Any, Any, Any],
        todo: Any,
        config: RunnableConfig,
    ) -> None:
        """Run the graph on."""
        async for update in graph.astream(todo, config, stream_mode="updates"):
            for node, written in update.items():
                if node == "__interrupt__":
                    self.pauses.extend(written)
                elif node == "ask_agent":
                    for result in written["agent_results"]:
                        self._show("Agent asked", _describe_result(result))
                elif node in ("model", "answer"):
                    self._show_answer(written["messages"][0], named=node == "model")

    def _show_answer(self, message: BaseMessage, *, named: bool) -> None:
        self._show("Answer", [Line(make_printable(message.text).strip("\n") or "(no text)")])
        if named:
            self._show("Agents named", _describe_named(message, self._is_allowed))


def _describe_named(
    message: BaseMessage, is_allowed: Callable[[ExecutableEntry], bool]
) -> Iterator[Line]:
    entries = get_executable_data(message)
    for entry in entries:
        identity = identify_agent(entry)
        yield Line(make_one_line(entry.get("name", "(no name)")[:_MAX_NAME]), role="name")
        shown = _name_agent(identity) if identity else "(no address or handle that holds)"
        yield Line(shown, "  ")
        if is_allowed(entry):
            yield Line("allowed", "  ")
        elif identity:
            yield Line("refused: not among the agents that may be asked", "  ! ", "problem")
        else:
            problems = entry.get("problems") or ["it has neither an address nor a handle"]
            yield Line(f"refused: {make_one_line(' '.join(problems))}", "  ! ", "problem")
    if not any(map(is_allowed, entries)):
        why = "allow one with --allow AGENT" if entries else "none was named"
        yield Line(f"No agent is asked: {why}.")


def _describe_review(value: dict[str, Any]) -> Iterator[Line]:
    for number, request in enumerate(value["action_requests"], start=1):
        for place, text in enumerate(request["description"].splitlines()):
            yield Line(make_one_line(text), "   " if place else f"{number}. ")


def _decide(value: dict[str, Any], *, by_human: bool) -> list[dict[str, str]]:
    numbers = range(1, len(value["action_requests"]) + 1)
    return [
        {"type": "approve" if not by_human or _ask_human(number) else "reject"}
        for number in numbers
    ]


def _ask_human(number: int) -> bool:
    print(f"\nAsk agent {number}? [y/N] ", end="", flush=True)
    return sys.stdin.readline().strip().casefold() in ("y", "yes")


def _describe_decisions(decisions: list[dict[str, str]], *, by_human: bool) -> Iterator[Line]:
    who = "by you" if by_human else "by this command; with --review it asks you"
    for number, decision in enumerate(decisions, start=1):
        yield Line(f"{decision['type']}, {who}", f"{number}. ")


def _describe_result(result: AgentResult) -> Iterator[Line]:
    yield Line(_name_agent(result["agent"]), role="name")
    if "error" in result:
        yield Line(f"no answer: {make_one_line(result['error'])}", "  ! ", "problem")
    else:
        yield Line(make_one_line(str(result.get("result"))), "  ")
        for label, text in list_agent_fields(result.get("response_metadata")):
            yield Line(text, f"  {label:<{_LABEL}}")


def _name_agent(identity: str) -> str:
    """Return an address as it is, or a handle with `@`."""
    return make_one_line(identity if is_agent_address(identity) else f"@{identity}")
