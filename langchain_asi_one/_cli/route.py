"""Watch the example graph route agents: ``python -m langchain_asi_one.langgraph --offline``."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from contextlib import contextmanager
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from typing_extensions import override

from langchain_asi_one._agent_identity import identify_agent
from langchain_asi_one._cli.ask import Source, asked
from langchain_asi_one._cli.run import status_of
from langchain_asi_one._cli.screen import complain, screen_on
from langchain_asi_one._json.printable import one_line, printable
from langchain_asi_one.display._text import Line, Section
from langchain_asi_one.executable_data import get_executable_data
from langchain_asi_one.langgraph import allow_agents
from langchain_asi_one.langgraph.example import ALLOW, example_graph

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from langchain_core.messages import BaseMessage
    from langchain_core.runnables import RunnableConfig
    from langchain_core.runnables.graph import Graph
    from langgraph.graph.state import CompiledStateGraph
    from langgraph.types import Interrupt

    from langchain_asi_one.chat_models import ChatASIOne
    from langchain_asi_one.executable_data import ExecutableEntry
    from langchain_asi_one.langgraph import AgentGraphState, AgentResult

_INTERRUPTED = 130
# Good and bad, for the stand-in names an agent with a wrong address when asked about bad ones.
_QUESTION: Final = "Which good and bad agents tell the weather in Paris?"
_LONGEST_NAME: Final = 100
_ASCII: Final = str.maketrans("│┆─┄▷", "|:-.>")
_EPILOG: Final = """\
Without --offline the live API is asked, with the key in ASI_ONE_API_KEY and at ASI_ONE_BASE_URL
if that is set. Only agents that --allow names are asked; by default the stand-in's weather agent.
Exit status: 0 answered, 1 the call failed, 2 wrong usage or no key, 130 interrupted, 141 nobody
reads the output."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the graph, run a question through it, and tell what became of each agent.

    Args:
        arguments: Command-line arguments; those of the process by default.

    Returns:
        Exit status, as the help tells.
    """
    options = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that cannot show a character gets its escape, not an exception.
            stream.reconfigure(errors="backslashreplace")
    try:
        with _complaining():
            return status_of(lambda: _route(options))
    except KeyboardInterrupt:
        complain("error", "interrupted.")
        return _INTERRUPTED


def _route(options: argparse.Namespace) -> None:
    with asked(offline=options.offline) as (source, model):
        _show(source, model, options)


class _Complaints(logging.Handler):
    """Writes what this package logs as one line each, without a traceback."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        complain(record.levelname.lower(), record.getMessage())


@contextmanager
def _complaining() -> Iterator[None]:
    logger, handler = logging.getLogger("langchain_asi_one"), _Complaints(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m langchain_asi_one.langgraph",
        description="Route to the agents that ASI:One names, and refuse those not allowed.",
        epilog=_EPILOG,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "question", nargs="?", type=_question, default=_QUESTION, help="default: %(default)s"
    )
    parser.add_argument(
        "--allow",
        action="append",
        type=_identifier,
        metavar="AGENT",
        help="an address or handle that may be asked; can be given again",
    )
    parser.add_argument(
        "--review", action="store_true", help="ask you (y/n) before each agent; otherwise approve"
    )
    parser.add_argument(
        "--offline", action="store_true", help="ask the local stand-in (extra `testing`), no key"
    )
    return parser


def _question(text: str) -> str:
    if not text.strip():
        msg = "the question is empty"
        raise argparse.ArgumentTypeError(msg)
    return text


def _identifier(text: str) -> str:
    try:
        allow_agents({text})
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from problem
    return text


def _show(source: Source, model: ChatASIOne, options: argparse.Namespace) -> None:
    screen = screen_on(sys.stdout)
    # The screens of this package's commands look alike.
    section = screen.section
    allow = frozenset(options.allow or ALLOW)
    graph = example_graph(model, allow=allow, checkpointer=InMemorySaver())
    config: RunnableConfig = {"configurable": {"thread_id": str(uuid4())}}

    screen.source(source)
    section(Section("Graph", (Line(_fitting(_drawing(graph.get_graph()))),)))
    section(Section("Question", (Line(printable(options.question)),)))
    todo: Any = {"messages": [HumanMessage(options.question)]}
    with asyncio.Runner() as runner:
        while todo is not None:
            steps = _Steps(section, allow_agents(allow))
            runner.run(steps.follow(graph, todo, config))
            todo = None
            # Outside the loop, where an interrupt of the user ends the wait for a key.
            for pause in steps.pauses:
                section(Section("Review", tuple(_requested(pause.value))))
                decisions = _decisions(pause.value, by_human=options.review)
                section(Section("Decisions", tuple(_decided(decisions, by_human=options.review))))
                todo = Command(resume={pause.id: {"decisions": decisions}})
    last = graph.get_state(config).values["messages"][-1]
    section(Section("Session", (Line(one_line(last.response_metadata["session_id"])),)))


class _Steps:
    """Shows what the nodes of a graph do, until it ends or pauses."""

    def __init__(
        self, section: Callable[[Section], None], allowed: Callable[[ExecutableEntry], bool]
    ) -> None:
        self.pauses: list[Interrupt] = []
        self._section = section
        self._allowed = allowed

    async def follow(
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
                for section in self._told(node, written):
                    self._section(section)

    def _told(self, node: str, written: Any) -> Iterator[Section]:
        if node == "ask_agent":
            for result in written["agent_results"]:
                yield Section("Agent asked", tuple(_outcome(result)))
        if node not in ("model", "answer"):
            return
        [message] = written["messages"]
        yield Section("Answer", (_text(message),))
        if node == "model":
            yield Section("Agents named", tuple(_verdicts(message, self._allowed)))


def _text(message: BaseMessage) -> Line:
    return Line(printable(message.text).strip("\n") or "(no text)")


def _verdicts(message: BaseMessage, allowed: Callable[[ExecutableEntry], bool]) -> Iterator[Line]:
    entries = get_executable_data(message)
    for entry in entries:
        identity = identify_agent(entry)
        yield Line(one_line(entry.get("name", "(no name)")[:_LONGEST_NAME]), role="name")
        yield Line(identity or "(no address or handle that holds)", "  ")
        if allowed(entry):
            yield Line("allowed", "  ")
        elif identity:
            yield Line("refused: not among the agents that may be asked", "  ! ", "problem")
        else:
            problems = entry.get("problems") or ["it has neither an address nor a handle"]
            yield Line(f"refused: {one_line(' '.join(problems))}", "  ! ", "problem")
    if not any(map(allowed, entries)):
        advice = "allow one with --allow AGENT" if entries else "none was named"
        yield Line(f"No agent is asked: {advice}.")


def _requested(value: dict[str, Any]) -> Iterator[Line]:
    for number, request in enumerate(value["action_requests"], start=1):
        for place, text in enumerate(request["description"].splitlines()):
            yield Line(one_line(text), "   " if place else f"{number}. ")


def _decisions(value: dict[str, Any], *, by_human: bool) -> list[dict[str, str]]:
    kinds = ["approve"] * len(value["action_requests"])
    if by_human:
        kinds = ["approve" if _approved(number) else "reject" for number, _ in enumerate(kinds, 1)]
    return [{"type": kind} for kind in kinds]


def _approved(number: int) -> bool:
    print(f"\nAsk agent {number}? [y/N] ", end="", flush=True)
    return sys.stdin.readline().strip().casefold() in ("y", "yes")


def _decided(decisions: list[dict[str, str]], *, by_human: bool) -> Iterator[Line]:
    who = "by you" if by_human else "by this command; with --review it asks you"
    for number, decision in enumerate(decisions, start=1):
        yield Line(f"{decision['type']}, {who}", f"{number}. ")


def _outcome(result: AgentResult) -> Iterator[Line]:
    yield Line(one_line(result["agent"]), role="name")
    if "error" in result:
        yield Line(f"no answer: {one_line(result['error'])}", "  ! ", "problem")
    else:
        yield Line(one_line(str(result.get("result"))), "  ")


def _drawing(graph: Graph) -> str:
    """Draw a graph from top to bottom; dotted ways are taken only sometimes."""
    order = _from_start(graph)
    lines: list[str] = []
    for place, node in enumerate(order):
        below = order[place + 1] if place + 1 < len(order) else None
        ways = {edge.target: edge.conditional for edge in graph.edges if edge.source == node}
        aside = [
            f" {'┄┄▷' if dotted else '──▷'} {graph.nodes[target].name}"
            for target, dotted in ways.items()
            if target != below
        ]
        lines.append(graph.nodes[node].name + "".join(aside))
        if below is not None:
            lines.append("" if below not in ways else "  ┆" if ways[below] else "  │")
    return "\n".join(lines)


def _from_start(graph: Graph) -> list[str]:
    """The nodes in an order in which each comes before all that follow it, loops apart."""
    seen: set[str] = set()
    reverse: list[str] = []

    def visit(node: str) -> None:
        seen.add(node)
        for edge in graph.edges:
            if edge.source == node and edge.target not in seen:
                visit(edge.target)
        reverse.append(node)

    for node in graph.nodes:
        if node not in seen:
            visit(node)
    return reverse[::-1]


def _fitting(drawing: str) -> str:
    try:
        drawing.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return drawing.translate(_ASCII)
    return drawing
