"""Reads the objects of a response into one normalised form.

A body and a stream of chunks go through the same `AnswerReader`: a body is a stream of one chunk
whose choice holds a `message` instead of a `delta`. So `invoke` cannot differ from the sum of a
stream. Fields and generations of the format: docs/wire-format.md, 2 to 4 and 6.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import StringIO
from typing import Any, TypedDict

from langchain_asi_one._json.safe import loads
from langchain_asi_one._response.fields import LIST_FIELDS, OWN_FIELDS, VALUE_FIELDS
from langchain_asi_one._response.leaked_tool_calls import read_leaked_calls
from langchain_asi_one._response.merging import MergedList, MergedText, merge, unwrap
from langchain_asi_one._response.reasoning import THOUGHT_FIELDS, ReasoningReader, read_text
from langchain_asi_one._response.token_usage import read_count
from langchain_asi_one._response.tool_calls import InvalidCall, ToolCallDelta, ToolCallReader

JSONObject = dict[str, Any]

# Each level of a chunk may hold each of them: generations and planner runs differ.
_KEPT_FIELDS = {*THOUGHT_FIELDS, *OWN_FIELDS}
_ANSWER_FIELDS = {"id", "object", "created", "model", "choices", "usage"} | _KEPT_FIELDS
_CHOICE_FIELDS = {"index", "role", "delta", "message", "finish_reason"} | _KEPT_FIELDS
_MESSAGE_FIELDS = {"role", "content", "tool_calls"} | _KEPT_FIELDS
_USAGE_FIELDS = ("prompt_tokens", "completion_tokens", "total_tokens", "reasoning_tokens")
_USAGE_DETAILS = ("prompt_tokens_details", "completion_tokens_details")
_NORMALIZED_REASONS = {
    "stop": "stop",
    "tool_calls": "tool_call",
    "function_call": "tool_call",
    "length": "length",
    "content_filter": "content_filter",
}
MOST_ITEMS = 100_000
"""Items of a list field that a message holds."""
_KINDS: dict[str, type | tuple[type, ...]] = {"id": str, "model": str, "created": (int, float)}
_EMPTY: tuple[Any, ...] = (None, [], {}, "")
_SCALAR = (str, bool, int, float, type(None))
_SUMMED_FIELDS = {*THOUGHT_FIELDS, "refusal"}
# `created` is in seconds, but E1 streams send milliseconds; 10**11 s is the year 5138.
_MILLISECONDS_FROM = 10**11


class Delta(TypedDict, total=False):
    """What a chunk adds to an answer.

    All deltas but the last hold only the first three fields, and `plan_state` where it changed.

    Attributes:
        text: Answer text to append.
        thought: Reasoning text to append.
        tool_calls: Deltas of calls for the caller to run.
        additional_kwargs: The fields that `_response/fields` names, `server_tool_calls` and
            `refusal`, where not empty.
        metadata: `model_name`, `id`, `created`, `finish_reason`, `normalized_finish_reason`,
            `logprobs`, `extra`, and `tool_calls_missing`, `tool_calls_recovered` or
            `dropped` where they apply.
        usage: The response's `usage`.
        plan_state: What a planner run does, on each delta where it has changed.
        invalid_calls: Calls that cannot be run, by their ids.
        last: Whether nothing follows.
    """

    text: str
    thought: str
    tool_calls: list[ToolCallDelta]
    additional_kwargs: dict[str, Any]
    metadata: dict[str, Any]
    usage: dict[str, Any]
    plan_state: Any
    invalid_calls: dict[str, InvalidCall]
    last: bool


class Frame:
    """The fields of a chunk around its delta and beside its thought.

    Most chunks repeat those of the previous chunk, and a field that is repeated adds nothing.
    """

    def __init__(self, chunk: JSONObject, choice: JSONObject) -> None:
        self._chunk = {**chunk, "choices": None}
        for name in THOUGHT_FIELDS:
            self._chunk.pop(name, None)
        self._choice = {**choice, "delta": None}
        outer, inner = self._chunk.items(), self._choice.items()
        # Refusals add up, and equal containers may differ in the types of their numbers.
        self._is_plain = all(
            name not in _SUMMED_FIELDS and (isinstance(value, _SCALAR) or value in ([], {}))
            for name, value in (*outer, *inner)
        )
        # To Python, 1, 1.0 and True are equal.
        self._numbers = [
            (fields is inner, name, type(value))
            for fields in (outer, inner)
            for name, value in fields
            if isinstance(value, int | float)
        ]

    def find_delta(self, chunk: JSONObject) -> JSONObject | None:
        """Return the delta if every other field equals the previous chunk's.

        A thought beside the choices becomes a field of it. The result is `None` if anything else is
        new.
        """
        choices = chunk.get("choices")
        if not self._is_plain or not isinstance(choices, list) or len(choices) != 1:
            return None
        choice = choices[0]
        if not isinstance(choice, dict) or not isinstance(delta := choice.get("delta"), dict):
            return None
        fields = {**chunk, "choices": None}
        thoughts = {}
        if len(fields) != len(self._chunk):
            thoughts = {name: fields.pop(name) for name in THOUGHT_FIELDS if name in fields}
        if fields != self._chunk or {**choice, "delta": None} != self._choice:
            return None
        for in_choice, name, kind in self._numbers:
            if type((choice if in_choice else chunk)[name]) is not kind:
                return None
        if thoughts.keys() & delta.keys():
            return None
        return {**delta, **thoughts} if thoughts else delta


class AnswerReader:
    """Reads one answer, whole or in chunks.

    Args:
        streamed: Whether chunks come; decides if `delta` or `message` counts where both are sent.
        tools: Parameter schemas of the bound tools by name, if tool calls that are written as text
            shall be recovered.
        names: The caller's names of tools by the names that were sent, where they differ.

    Example:
        >>> reader = AnswerReader(streamed=False)
        >>> body = {"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}
        >>> reader.feed(body)["text"], reader.close()["metadata"]["finish_reason"]
        ('Hi', 'stop')
    """

    def __init__(
        self,
        *,
        streamed: bool,
        tools: Mapping[str, Mapping[str, Any]] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> None:
        self._streamed = streamed
        self._tools = tools or {}
        self._calls = ToolCallReader(names)
        self._reasoning = ReasoningReader()
        self._frame: Frame | None = None
        self._lists = {name: MergedList(MOST_ITEMS) for name in LIST_FIELDS}
        self._server_calls = ServerCalls(MOST_ITEMS)
        self._values: JSONObject = {}
        self._identity: JSONObject = {}
        self._finish_reason: str | None = None
        self._usage: JSONObject = {}
        self._unknown: tuple[JSONObject, JSONObject, JSONObject] = ({}, {}, {})
        self._index: Any = None
        self._other_choices: list[Any] = []
        self._recovered = False
        self._content = StringIO()

    @property
    def text(self) -> str:
        """The answer's text so far."""
        return self._content.getvalue()

    @property
    def thought(self) -> str:
        """The reasoning text so far."""
        return self._reasoning.text

    def feed(self, chunk: JSONObject) -> Delta:
        """Take a chunk, or a whole body; return what it adds."""
        delta = self._frame.find_delta(chunk) if self._frame else None
        read = None if delta is None else self._read_delta(delta)
        return self._read_chunk(chunk) if read is None else read

    def _read_delta(self, delta: JSONObject) -> Delta | None:
        """Read text, reasoning and tool calls; `None` if there is another field."""
        content, source, thought = "", None, ""
        known = self._unknown[2]
        for name, value in delta.items():
            if name == "content" and isinstance(value, str):
                content = value
            elif value is None:
                if name not in _MESSAGE_FIELDS and name not in known:
                    return None
            elif name in THOUGHT_FIELDS and source is None and isinstance(value, str):
                source, thought = name, value
            elif name not in ("role", "tool_calls"):
                return None
        calls = self._read_tool_calls(delta) if "tool_calls" in delta else []
        self._content.write(content)
        if source is not None:
            thought = self._reasoning.feed_text(source, thought)
        return Delta(text=content, thought=thought, tool_calls=calls)

    def _read_chunk(self, chunk: JSONObject) -> Delta:
        """Read every field of a chunk."""
        choice = self._find_choice(chunk)
        delta, message = _get_object(choice, "delta"), _get_object(choice, "message")
        part, whole = (delta, message) if self._streamed else (message or delta, {})
        levels = (part, choice, chunk)
        self._note_answer(chunk, choice)
        self._note_unknown(chunk, choice, {**message, **delta} if self._streamed else part)
        plan_state = self._values.get("plan_state")
        for level in (*levels, whole):
            self._note_own_fields(level)
        calls = self._read_tool_calls(part)
        text = self._read_content(part, whole)
        self._content.write(text)
        calls += self._read_tool_calls(whole, repeated=bool(len(self._calls)), whole=True)
        thought = self._reasoning.feed(levels, whole)
        if self._streamed:
            self._frame = Frame(chunk, choice)
        read = Delta(text=text, thought=thought, tool_calls=calls)
        now = self._values.get("plan_state")
        if now is not plan_state and now != plan_state:
            read["plan_state"] = now
        return read

    def close(self) -> Delta:
        """End the answer; return the rest, and what it holds once."""
        calls = self._recover_calls()
        calls += self._calls.close(self._identity.get("id"))
        return Delta(
            text="",
            thought="",
            tool_calls=calls,
            additional_kwargs=self._collect_additional_kwargs(),
            metadata=self._collect_metadata(),
            usage=self._usage,
            invalid_calls=self._calls.find_invalid(),
            last=True,
        )

    def _find_choice(self, chunk: JSONObject) -> JSONObject:
        """Return the choice that is read, the first; keep the others."""
        found: JSONObject = {}
        for choice in _get_list(chunk, "choices"):
            index = choice.get("index") if isinstance(choice, dict) else None
            if self._index is None:
                self._index = index
            if isinstance(choice, dict) and not found and index in (None, self._index):
                found = choice
            else:
                self._other_choices.append(choice)
        return found

    def _note_answer(self, chunk: JSONObject, choice: JSONObject) -> None:
        for name, kind in _KINDS.items():
            if isinstance(chunk.get(name), kind) and not isinstance(chunk[name], bool):
                self._identity.setdefault(name, chunk[name])
            elif chunk.get(name) is not None:
                self._unknown[0][name] = chunk[name]
        # The last value counts: E1 sends two ends, and usage is cumulative.
        if isinstance(reason := choice.get("finish_reason"), str):
            self._finish_reason = reason
        elif reason is not None:
            self._unknown[1]["finish_reason"] = reason
        if isinstance(chunk.get("usage"), dict):
            self._usage = chunk["usage"]
        elif chunk.get("usage") is not None:
            self._unknown[0]["usage"] = chunk["usage"]

    def _note_unknown(self, chunk: JSONObject, choice: JSONObject, message: JSONObject) -> None:
        named = (_ANSWER_FIELDS, _CHOICE_FIELDS, _MESSAGE_FIELDS)
        for known, fields, level in zip(
            named, self._unknown, (chunk, choice, message), strict=True
        ):
            for name, value in level.items():
                if name not in known and (value is not None or name not in fields):
                    fields[name] = self._merge_field(name, fields.get(name), value)

    def _merge_field(self, name: str, held: Any, value: Any) -> Any:
        """Merge an unknown field with its value in the next chunk."""
        if not self._streamed:
            return value
        if name == "refusal" and isinstance(held, MergedText):
            if isinstance(value, str):
                held.add(value)
            return held
        if name == "refusal" and isinstance(value, str):
            return MergedText(value)
        return merge(held, value, concatenate=name == "logprobs")

    def _note_own_fields(self, level: JSONObject) -> None:
        for name in LIST_FIELDS:
            if level.get(name):
                self._lists[name].add(_to_list(level[name]))
        for name in VALUE_FIELDS:
            if level.get(name) not in _EMPTY:
                self._values[name] = level[name]

    def _read_tool_calls(
        self, message: JSONObject, *, whole: bool = False, repeated: bool = False
    ) -> list[ToolCallDelta]:
        deltas: list[ToolCallDelta] = []
        read = self._calls.read_delta if self._streamed and not whole else self._calls.read_whole
        for item in _get_list(message, "tool_calls"):
            if not isinstance(item, dict):
                continue
            if "tool_name" in item and "function" not in item:
                self._server_calls.add(item)
            elif not repeated:
                deltas += read(item)
        return deltas

    def _read_content(self, part: JSONObject, whole: JSONObject) -> str:
        """Return a delta's content, and what only the whole message has."""
        content, full = read_text(part.get("content")), read_text(whole.get("content"))
        if len(full) <= self._content.tell() + len(content):
            return content
        known = self._content.getvalue() + content
        return content + full[len(known) :] if full.startswith(known) else content

    def _recover_calls(self) -> list[ToolCallDelta]:
        """Read calls from a text that is nothing else.

        This happens only if the answer announces calls and has none. The text stays as it was sent.
        """
        if not self._tools or self._finish_reason != "tool_calls":
            return []
        if len(self._calls) or self._server_calls.value:
            return []
        items = read_leaked_calls(self.text, self._tools)
        self._recovered = bool(items)
        return [delta for item in items for delta in self._calls.read_whole(item)]

    def _collect_additional_kwargs(self) -> dict[str, Any]:
        found = {
            **{name: items.value for name, items in self._lists.items()},
            "server_tool_calls": self._server_calls.value,
            **self._values,
            "refusal": unwrap(self._unknown[2].get("refusal")),
        }
        return {name: value for name, value in found.items() if value not in _EMPTY}

    def _collect_metadata(self) -> dict[str, Any]:
        metadata: dict[str, Any] = {
            "model_name": self._identity.get("model"),
            "id": self._identity.get("id"),
            "created": _to_seconds(self._identity.get("created")),
            "finish_reason": self._finish_reason,
            "normalized_finish_reason": self._normalize_reason(),
            "logprobs": unwrap(self._unknown[1].get("logprobs")),
            "extra": self._collect_unknown(),
            "dropped": self._count_dropped(),
        }
        if self._finish_reason in ("tool_calls", "function_call") and not (
            len(self._calls) or self._server_calls.value
        ):
            metadata["tool_calls_missing"] = True
        if self._recovered:
            metadata["tool_calls_recovered"] = True
        return {name: value for name, value in metadata.items() if value not in (None, {})}

    def _normalize_reason(self) -> str | None:
        """Return the reason in langchain-core's words; `None` for an unknown one."""
        if unwrap(self._unknown[2].get("refusal")):
            return "refusal"
        reason = _NORMALIZED_REASONS.get(self._finish_reason or "")
        return "tool_call" if reason == "stop" and len(self._calls) else reason

    def _count_dropped(self) -> dict[str, int]:
        """Count the items beyond the limits."""
        counts = {
            **{name: items.dropped for name, items in self._lists.items()},
            "server_tool_calls": self._server_calls.dropped,
            "tool_calls": self._calls.dropped,
        }
        return {name: count for name, count in counts.items() if count}

    def _collect_unknown(self) -> dict[str, Any]:
        """Return all unknown fields in one dict.

        If an outer level has the same name, the inner name gets a prefix.
        """
        answer, choice, message = self._unknown
        extra = {name: unwrap(value) for name, value in answer.items()}
        for level, fields in (("choice", choice), ("message", message)):
            for name, held in fields.items():
                value = unwrap(held)
                if name == "logprobs" and level == "choice" and value is not None:
                    continue
                if name != "refusal" or not value:  # that is in `additional_kwargs`
                    extra[f"{level}.{name}" if name in extra else name] = value
        extra.update(self._reasoning.find_unused())
        if self._other_choices:
            extra["choices"] = self._other_choices
        if usage := _find_unknown_usage(self._usage):
            extra["usage"] = usage
        return extra


def _find_unknown_usage(usage: JSONObject) -> JSONObject:
    """Return the fields of `usage` that are no token counts."""
    unknown: JSONObject = {}
    for name, value in usage.items():
        if name in _USAGE_DETAILS and isinstance(value, dict):
            details = {n: v for n, v in value.items() if v is not None and read_count(v) is None}
            if details:
                unknown[name] = details
        elif name not in (*_USAGE_FIELDS, *_USAGE_DETAILS) or (
            value is not None and read_count(value) is None
        ):
            unknown[name] = value
    return unknown


def _get_list(value: JSONObject, name: str) -> list[Any]:
    found = value.get(name)
    return found if isinstance(found, list) else []


def _get_object(value: JSONObject, name: str) -> JSONObject:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _to_list(value: object) -> list[Any]:
    if isinstance(value, str):
        try:
            value = loads(value)
        except ValueError:
            return [value] if str(value).strip() else []
    if isinstance(value, list):
        return value
    return [] if value in (None, "", {}) else [value]


class ServerCalls:
    """Records of the tools that ASI:One ran.

    Those beyond `most` are only counted.
    """

    def __init__(self, most: int) -> None:
        self.value: list[JSONObject] = []
        """The records, each once."""
        self.dropped = 0
        """How many records were not kept."""
        self._by_id: dict[str, JSONObject] = {}
        self._seen: set[str] = set()
        self._most = most

    def add(self, item: JSONObject) -> None:
        """Add a record, or complete the record of the same id."""
        key = json.dumps(item if item.get("id") is None else item["id"], sort_keys=True)
        if item.get("id") is not None and key in self._by_id:
            self._by_id[key].update({k: v for k, v in item.items() if v is not None})
        elif key not in self._seen and len(self.value) < self._most:
            record = dict(item)
            self.value.append(record)
            if item.get("id") is None:
                self._seen.add(key)
            else:
                self._by_id[key] = record
        elif key not in self._seen:
            self._seen.add(key)
            self.dropped += 1


def _to_seconds(created: object) -> int | None:
    if not isinstance(created, int | float) or isinstance(created, bool):
        return None
    seconds = int(created // 1000 if created >= _MILLISECONDS_FROM else created)
    return seconds if abs(seconds) < 2**63 else None
