"""The command that asks an agent, registers who asks, shows the mail."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from langchain_asi_one._cli.ask import CannotAskError
from langchain_asi_one._cli.asker import (
    FLIGHTS_HANDLE,
    WEATHER_HANDLE,
    Asker,
    open_asker,
    print_asker,
)
from langchain_asi_one._cli.options import read_options
from langchain_asi_one._cli.run import run_command
from langchain_asi_one._json.printable import make_one_line
from langchain_asi_one._json.safe import make_json_safe
from langchain_asi_one._version import __version__
from langchain_asi_one.agents._content import read_messages, write_content
from langchain_asi_one.agents._dialogue import Dialogue
from langchain_asi_one.agents._envelope import (
    Asked,
    DoesNotCountError,
    Kind,
    open_reply,
    read_envelope,
)
from langchain_asi_one.agents._loop import run
from langchain_asi_one.display._printer import choose_printer
from langchain_asi_one.display._sections import shorten
from langchain_asi_one.display._text import Line, TextSection

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from langchain_asi_one.agents._inbox import Letter

_PROGRAM: Final = "python -m langchain_asi_one.agents"
_COMMANDS: Final = {
    "ask": "ask an agent, and show its own signed answer",
    "register": "register a mailbox on Agentverse (needs AGENTVERSE_API_KEY)",
    "inbox": "show what lies in the mailbox; nothing is deleted",
}
_ENVIRONMENT: Final = """\
Who asks is made from the seed in AGENTVERSE_AGENT_SEED, or from AGENT_URI.
Exit status: 0 done, 1 it failed, 2 wrong usage or no seed, 130 interrupted,
141 nobody reads the output."""
_KINDS: Final = {
    Kind.CHAT: "answer",
    Kind.ACKNOWLEDGEMENT: "acknowledgement",
    Kind.ERROR: "error",
    Kind.PAYMENT: "request for payment",
}
_LONGEST: Final = 86_400.0
_LOCAL_SECONDS: Final = 30.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the first argument names and return the exit status.

    `arguments` are by default those of the process.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    chosen = _make_chooser().parse_args(given[:1])
    options = _read_options(chosen.command, given[1:])
    work = {"ask": _ask, "register": _register, "inbox": _show_mail}[chosen.command]
    return run_command(lambda: _run(work, options))


def _make_chooser() -> argparse.ArgumentParser:
    lines = "\n".join(f"  {name:<10} {text}" for name, text in _COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog=_PROGRAM,
        usage="%(prog)s {ask,register,inbox} [options] ...",
        description=f"Ask agents of Agentverse directly.\n\n{lines}",
        epilog=f"Each has a --help of its own.\n{_ENVIRONMENT}",
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=[*_COMMANDS], help=argparse.SUPPRESS)
    parser.add_argument("--version", action="version", version=__version__)
    return parser


def _read_options(command: str, arguments: Sequence[str]) -> argparse.Namespace:
    asks = command == "ask"
    parser = argparse.ArgumentParser(
        prog=f"{_PROGRAM} {command}",
        usage="%(prog)s [options] agent [question ...]" if asks else None,
        description=f"{_COMMANDS[command].capitalize()}.",
        epilog=_ENVIRONMENT,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--offline",
        action="store_true",
        help=f"use an Agentverse on this machine, with the agents @{WEATHER_HANDLE} and "
        f"@{FLIGHTS_HANDLE} (extra `testing`), no key",
    )
    if command == "register":
        parser.add_argument(
            "--description", default="", help="what people are to know of it, to 300 characters"
        )
    if not asks:
        return parser.parse_args(arguments)
    parser.set_defaults(question="")
    parser.add_argument("agent", help="its address, or its handle with @")
    parser.add_argument(
        "--session", metavar="ID", help="go on in this session (default: a new one)"
    )
    parser.add_argument(
        "--timeout",
        type=_parse_seconds,
        default=60.0,
        metavar="SECONDS",
        help="seconds to wait for the answer (default: 60)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    return read_options(parser, arguments)


def _parse_seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= _LONGEST:
        msg = f"must be a number of seconds above 0 and up to 86,400; got {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return seconds


def _run(work: Any, options: argparse.Namespace) -> None:
    try:
        with open_asker(offline=options.offline) as asker:
            work(asker, options)
    except ValueError as problem:
        raise CannotAskError(str(problem)) from problem


def _ask(asker: Asker, options: argparse.Namespace) -> None:
    printer = choose_printer(sys.stdout)
    if not options.json:
        print_asker(printer, asker)
    message = asker.chat.ask(
        options.agent, options.question, session_id=options.session, timeout=options.timeout
    )
    if not options.json:
        printer.print_message(message)
        return
    said = {"answer": message.text, "content": message.content, **message.response_metadata}
    print(json.dumps(make_json_safe(said), indent=2))


def _register(asker: Asker, options: argparse.Namespace) -> None:
    asker.chat.register(description=options.description)
    where = "Agentverse" if asker.known is None else "a local Agentverse, which ends now,"
    text = f"Registered {asker.chat.address} with a mailbox on {where} at {asker.agentverse}"
    choose_printer(sys.stdout).print_notice(text)


def _show_mail(asker: Asker, _options: argparse.Namespace) -> None:
    printer = choose_printer(sys.stdout)
    print_asker(printer, asker)
    if asker.known is not None:
        run(_leave_question(asker))
        printer.print_notice(f"It has asked @{WEATHER_HANDLE}, so that there is mail.")
    letters = run(_list_letters(asker))
    lines = [line for letter in letters for line in _describe_letter(letter, asker.chat.address)]
    title = f"Mail ({len(letters)})" if letters else "Mail"
    printer.print_section(TextSection(title, tuple(lines) or (Line("(none)"),)))


async def _leave_question(asker: Asker) -> None:
    """Ask the local agent, and leave its answer in the mailbox."""
    conversations = await asker.chat.find_conversations()
    [address] = asker.trusted
    asked = Asked(address, uuid4(), uuid4(), time.time() + _LOCAL_SECONDS)
    await conversations.send(asked, write_content(read_messages("Hello")))
    await conversations.collect(asked)


async def _list_letters(asker: Asker) -> list[Letter]:
    conversations = await asker.chat.find_conversations()
    return await conversations.list_letters()


def _describe_letter(letter: Letter, me: str) -> Iterator[Line]:
    """Say who has sent a letter, and what. Strangers wrote both."""
    try:
        envelope = read_envelope(letter.envelope)
        sender, session = make_one_line(envelope.sender)[:100], envelope.session
    except DoesNotCountError as reason:
        yield Line("(unknown sender)", role="name")
        yield Line(str(reason), "  ! ", "problem")
        return
    yield Line(sender, role="name")
    try:
        message = open_reply(
            envelope, me=me, agent=envelope.sender, session=session, now=time.time()
        )
    except DoesNotCountError as reason:
        yield Line(f"{reason}, so it never counts as an answer", "  ! ", "problem")
        return
    dialogue = Dialogue(str(message.body.get("acknowledged_msg_id")), quiet=0.0)
    dialogue.take(message, 0.0)
    said = dialogue.refusal or dialogue.payment_request or dialogue.read_text()
    yield Line(_KINDS[message.kind], "  kind       ")
    yield Line(str(session), "  session    ")
    yield Line(f"{sender}, checked", "  signed by  ")
    if said:
        yield Line(shorten(said), "  text       ")
