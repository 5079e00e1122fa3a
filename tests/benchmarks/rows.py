"""What is measured, row by row, and the bar of each: the table of the README comes from here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.benchmarks.wire import Form, Prompt

OURS, THEIRS, FLOOR = "ChatASIOne", "ChatOpenAI", "floor"
FLOOR_LIMIT = 1.25

# Labels of the peers in the tables, and their names in `peers.py`.
MAIN = {
    OURS: "ours",
    THEIRS: "ChatOpenAI",
    "ChatDeepSeek": "ChatDeepSeek",
    "ChatXAI": "ChatXAI",
    "openai SDK": "SDK",
    "raw HTTP": "raw",
}
# These need an openai SDK or a pydantic older than the newest: they have their own environment.
APART = {
    "ChatOpenRouter": "ChatOpenRouter",
    "llama-index ASI": "llama-index",
    "LiteLLM": "LiteLLM",
}
IMPORTS = {
    OURS: "from langchain_asi_one import ChatASIOne",
    THEIRS: "from langchain_openai import ChatOpenAI",
    "ChatDeepSeek": "from langchain_deepseek import ChatDeepSeek",
    "ChatXAI": "from langchain_xai import ChatXAI",
    "openai SDK": "from openai import OpenAI",
    "ChatOpenRouter": "from langchain_openrouter import ChatOpenRouter",
    "llama-index ASI": "from llama_index.llms.asi import ASI",
    "LiteLLM": "from litellm import completion",
}


@dataclass(frozen=True)
class Series:
    """One command, repeated in every round.

    Attributes:
        label: In the table.
        process: The peer in whose process it runs; peers of the floor run in that of ours.
        command: What that process is asked.
        per: Divides the times: chunks, or 1 for a whole call.
        every: It runs in every round, or in each second or third: for peers that take seconds and
            that no bar looks at.
    """

    label: str
    process: str
    command: dict[str, Any]
    per: int = 1
    every: int = 1


@dataclass(frozen=True)
class Bar:
    """A value that is reached, or not: a measure of one series, or the ratio of two.

    Attributes:
        text: What it says.
        over: Label of the series.
        under: Label of the series that it is divided by.
        kind: Which side of the limit is good.
        limit: The bar; `None` where the value is only told.
        measure: Name of the measure.
    """

    text: str
    over: str
    under: str | None = None
    kind: Literal["at least", "at most"] = "at most"
    limit: float | None = None
    measure: str = "wall"


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        name: For `--rows`.
        title: What is measured.
        unit: Of the times.
        scale: What seconds are multiplied with for it.
        series: What is run, in this order in each round.
        bars: What has to be reached.
        fresh: Whether each round takes new processes.
        rounds: Rounds, where it is not the number for all rows.
    """

    name: str
    title: str
    unit: str
    scale: float
    series: tuple[Series, ...]
    bars: tuple[Bar, ...]
    fresh: bool = False
    rounds: int | None = field(default=None, kw_only=True)


def _faster(factor: float) -> Bar:
    return Bar(f"{factor:g}x as fast as ChatOpenAI", THEIRS, OURS, "at least", factor)


def _not_slower(suffix: str = "") -> Bar:
    text = f"not slower than ChatOpenAI{suffix and f' at{suffix}'}"
    return Bar(text, OURS + suffix, THEIRS + suffix, "at most", 1.0)


def _near_floor() -> Bar:
    return Bar(f"{FLOOR_LIMIT:g}x the floor", OURS, FLOOR, "at most", FLOOR_LIMIT)


def _command(task: str, prompt: Prompt | None = None, **given: Any) -> dict[str, Any]:
    """A round of streaming is one call: after several, a full garbage collection would be due."""
    asked = {} if prompt is None else {"prompt": str(prompt)}
    seconds = 0.0 if task in ("stream", "astream") else 0.1
    return {"task": task, "seconds": seconds, **asked, **given}


def _floor(command: dict[str, Any], per: int, suffix: str = "") -> tuple[Series, Series]:
    """The two parts of the floor; `run.py` adds them, round by round."""
    command = {name: value for name, value in command.items() if name != "how"}
    return (
        Series(f"floor: HTTP and JSON{suffix}", "ours", {**command, "peer": "raw"}, per),
        Series(f"floor: empty stream(){suffix}", "ours", {**command, "peer": "empty"}, per),
    )


def _of_peers(command: dict[str, Any], peers: dict[str, str], per: int = 1) -> tuple[Series, ...]:
    return tuple(
        Series(label, peer, {**command, "peer": peer}, per) for label, peer in peers.items()
    )


_BOTH = {OURS: "ours", THEIRS: "ChatOpenAI"}


def _stream_row(
    name: str, title: str, prompt: Prompt, *, task: str = "stream", how: str = "plain"
) -> Row:
    command = _command(task, prompt, how=how)
    peers = {**MAIN, **APART} if name == "stream" else _BOTH
    series = _of_peers(command, peers, prompt.amount)
    # Ours and the floor next to each other.
    series = (series[0], *_floor(command, prompt.amount), *series[1:])
    return Row(name, title, "µs/chunk", 1e6, series, (_faster(4), _near_floor()))


def _streams(size: int) -> Iterator[Row]:
    forms: dict[str, Form] = {"": "burst", "-events": "events"}
    for suffix, form in forms.items():
        how = ", one HTTP chunk for each event" if suffix else ""
        for task, kind in (("stream", "sync"), ("astream", "async")):
            title = f"stream of 2,000 chunks, {kind}{how}"
            yield _stream_row(f"{task}{suffix}", title, Prompt("text", 2_000, form), task=task)
    for method in ("json_schema", "function_calling"):
        for task, kind in (("stream", "sync"), ("astream", "async")):
            prompt = Prompt("json" if method == "json_schema" else "tool", 500)
            title = f"stream with structured output ({method}), 500 chunks, {kind}"
            yield _stream_row(f"{task}-{method}", title, prompt, task=task, how=method)
    yield _stream_row("thought", f"{size:,} chunks of thought", Prompt("thought", size))
    title = f"one tool call in {size:,} deltas"
    yield _stream_row("tool", title, Prompt("tool", size), how="tools")
    title = "2,000 chunks and 1 MB of executable_data"
    yield _stream_row("data", title, Prompt("data", 2_000, number=1))


def _linear_row(name: str, prompt: Prompt, size: int, *, collects: bool, floor: bool) -> Row:
    series: list[Series] = []
    bars = []
    short, long = f" {1_000:,}", f" {size:,}"
    for suffix, amount in ((short, 1_000), (long, size)):
        asked = Prompt(prompt.kind, amount, prompt.form)
        how = "tools" if prompt.kind == "tool" else "plain"
        command = _command("stream", asked, how=how, gc=collects)
        series += _of_peers(command, {OURS + suffix: "ours"}, amount)
        series += _floor(command, amount, suffix) if floor else ()
    without = "" if collects else ", garbage collector off"
    text = f"cost of a chunk at {size:,} chunks over that at 1,000{without}"
    bars.append(Bar(text, OURS + long, OURS + short, "at most", 1.2))
    if floor:
        bars.append(Bar(f"the same of the floor{without}", FLOOR + long, FLOOR + short))
        bars.append(Bar(f"over the floor at {size:,}{without}", OURS + long, FLOOR + long))
    title = f"{prompt.kind}: 1,000 and {size:,} chunks{without}"
    # A round of the others is long enough to be its own average.
    rounds = None if name == "linear-text" else 3
    return Row(name, title, "µs/chunk", 1e6, tuple(series), tuple(bars), rounds=rounds)


def _linearity(size: int) -> Iterator[Row]:
    yield _linear_row("linear-text", Prompt("text", 0), size, collects=True, floor=True)
    yield _linear_row("linear-text-gc-off", Prompt("text", 0), size, collects=False, floor=True)
    yield _linear_row("linear-thought", Prompt("thought", 0), size, collects=True, floor=False)
    yield _linear_row("linear-tool", Prompt("tool", 0), size, collects=True, floor=False)
    series: list[Series] = []
    for megabytes in (1, 8):
        command = _command("stream", Prompt("data", 10, number=megabytes))
        series += _of_peers(command, {f"{OURS} {megabytes} MB": "ours"}, megabytes)
    text = "cost of a MB at 8 MB over that at 1"
    bar = Bar(text, f"{OURS} 8 MB", f"{OURS} 1 MB", "at most", 1.2)
    title = "executable_data of 1 and of 8 MB"
    yield Row("linear-data", title, "ms/MB", 1e3, tuple(series), (bar,))


def _calls() -> Iterator[Row]:
    command = _command("invoke", Prompt("answer", 1_000))
    series = _of_peers(command, {**MAIN, **APART})
    title = "invoke, answer of 1 kB"
    yield Row("invoke", title, "ms", 1e3, series, (_faster(1.3),))
    command = _command("invoke", Prompt("answer", 1_000_000))
    title = "invoke, answer of 1 MB"
    yield Row("invoke-1MB", title, "ms", 1e3, _of_peers(command, _BOTH), (_faster(1.3),))
    series = ()
    bars = []
    for size in (10, 100, 1_000, 10_000):
        suffix = f" {size:,}"
        peers = {label + suffix: peer for label, peer in _BOTH.items()}
        series += _of_peers(_command("payload", messages=size), peers, size)
        bars.append(_not_slower(suffix))
    text = "cost of a message at 10,000 messages over that at 100"
    bars.append(Bar(text, f"{OURS} 10,000", f"{OURS} 100", "at most", 1.2))
    bars.append(Bar("the same of ChatOpenAI", f"{THEIRS} 10,000", f"{THEIRS} 100"))
    title = "building the request from a history"
    yield Row("request", title, "µs/message", 1e6, series, tuple(bars))


def _starts() -> Iterator[Row]:
    makers = {k: v for k, v in {**MAIN, **APART}.items() if v not in ("raw", "LiteLLM")}
    series = _of_peers(_command("construct"), makers)
    yield Row("construct", "construction", "ms", 1e3, series, (_not_slower(),))
    series = _of_peers(_command("bind_tools"), _BOTH)
    yield Row("bind_tools", "bind_tools of 20 tools", "ms", 1e3, series, (_not_slower(),))
    peers = {**MAIN, **APART}
    bare = "import langchain_asi_one"
    series = tuple(
        Series(
            label,
            peers[label],
            {"task": "import", "statement": statement},
            every=1 if label in _BOTH else 7,
        )
        for label, statement in IMPORTS.items()
    )
    alone = Series(bare, "ours", {"task": "import", "statement": bare})
    bars = (
        _not_slower(),
        Bar(f"`{bare}` in seconds", bare, None, "at most", 0.010),
        Bar("langgraph imported", OURS, None, "at most", 0, "langgraph"),
    )
    title = "import in a fresh process"
    yield Row("import", title, "ms", 1e3, (series[0], alone, *series[1:]), bars)


def _crowds(streams: int, chunks: int) -> Iterator[Row]:
    wrong = Bar("streams with a chunk lost, mixed or doubled", OURS, None, "at most", 0, "wrong")
    command = {"task": "concurrent", "streams": streams, "chunks": chunks, "form": "burst"}
    bars = (
        _faster(3),
        Bar("the same, from when all are open", THEIRS, OURS, measure="rest"),
        Bar("memory of an open stream", OURS, THEIRS, "at most", 1.0, "bytes"),
        wrong,
    )
    title = f"{streams:,} streams of {chunks} chunks at once on one event loop"
    per = streams * chunks
    series = _of_peers(command, _BOTH, per)
    yield Row("concurrent", title, "µs/chunk", 1e6, series, bars, fresh=True, rounds=2)
    command = {"task": "threads", "workers": 64, "streams": 2, "chunks": chunks}
    series = _of_peers(command, _BOTH, 64 * 2 * chunks)
    title = f"64 threads on one instance, streams of {chunks} chunks"
    yield Row("threads", title, "µs/chunk", 1e6, series, (_faster(3), wrong))


def _checks() -> Iterator[Row]:
    bars = tuple(
        Bar(f"first chunk before the second is sent, {how}", label, None, "at least", 1, "right")
        for how, label in (("sync", OURS), ("async", f"{OURS} async"))
    )
    series: tuple[Series, ...] = (
        Series(OURS, "ours", {"task": "first", "peer": "ours"}),
        Series(f"{OURS} async", "ours", {"task": "afirst", "peer": "ours"}),
    )
    yield Row("first", "the first chunk", "", 1, series, bars, rounds=1)
    # Python's allocator has settled by the first; of an answer at most 64 MiB are read.
    first, size = 100_000, 300_000
    command = {"task": "memory", "peer": "ours", "first": first, "chunks": size}
    text = f"growth of memory between chunk {first:,} and {size:,}, bytes"
    bars = (
        Bar(text, OURS, measure="growth"),
        Bar("one copy of the answer's text since, bytes", OURS, measure="text"),
        Bar("growth beyond it, bytes a chunk", OURS, None, "at most", 8, "beyond_a_chunk"),
    )
    series = (Series(OURS, "ours", command),)
    yield Row("memory", f"{size:,} chunks, none kept", "", 1, series, bars, fresh=True, rounds=1)
    models = {k: v for k, v in {**MAIN, **APART}.items() if k.startswith("Chat")}
    series = _of_peers({"task": "kept"}, models)
    bar = Bar("of ten extra fields, kept by ChatASIOne", OURS, None, "at least", 10, "kept")
    title = "extra fields of an answer that are kept"
    yield Row("kept", title, "", 1, series, (bar,), rounds=1)


def all_rows(*, quick: bool = False) -> list[Row]:
    """All rows, in the order of the table.

    Args:
        quick: Whether to take smaller sizes where a round takes seconds.

    Returns:
        The rows.
    """
    return [
        *_streams(5_000 if quick else 20_000),
        *_linearity(20_000 if quick else 100_000),
        *_calls(),
        *_starts(),
        *_crowds(200 if quick else 1_000, 100),
        *_checks(),
    ]
