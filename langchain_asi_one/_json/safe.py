"""Values that every serialiser can hold: responses are made safe here, once.

A LangChain message ends up in checkpoints (msgpack), databases (PostgreSQL text) and traces (JSON).
Each refuses something that JSON from a model may contain: integers beyond 64 bits, NaN, NUL, lone
surrogates, nesting that exhausts the stack. Refusal comes late, when the answer is already paid
for. So these values are replaced before a message exists. `tool_arguments` does the same for JSON
text that arrives in deltas.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Final, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH: Final = 64
"""Levels of nested containers that are kept as containers; deeper ones become JSON text."""

INT_MIN: Final = -(2**63)
INT_MAX: Final = 2**64 - 1

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"

_Container: TypeAlias = "dict[object, object] | list[object] | tuple[object, ...]"

CIRCULAR: Final = "<circular reference>"
"""Stands for a container that contains itself."""

UNPRINTABLE: Final = "<unprintable object>"
"""Stands for an object whose `__str__` raises."""

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False)
_LONG: Final = 10_000
_UTF8_BOM: Final = b"\xef\xbb\xbf"

# Escapes of NUL and of lone surrogates. `\ud83d` after an escaped backslash is no escape; six
# characters do not show that, so it counts as unsafe, too.
_UNSAFE_ESCAPE = re.compile(
    r"\\(?:\\u[dD]|u(?:0000|[dD][89abAB]..(?!\\u[dD][c-fC-F])"
    r"|(?<!\\u[dD][89abAB]..\\u)[dD][c-fC-F]))"
)
# They read no number, as the interpreter refuses long ones.
_CHECKER: Final = json.JSONDecoder(parse_int=str)
_LENIENT_CHECKER: Final = json.JSONDecoder(parse_int=str, strict=False)
_MARK = re.compile(r'["\[\]{}]')
# So many openings, or closings, that no block begins or ends between them.
_TO_NEXT = r'(?:[^"\[\]{}]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^"\[\]{}]*+)*+[%s]){%d}'
_OPENINGS = re.compile(_TO_NEXT % (r"\[{", MAX_DEPTH - 1), re.DOTALL)
_CLOSINGS = re.compile(_TO_NEXT % (r"\]}", MAX_DEPTH - 1), re.DOTALL)
# Without these, ASCII text has only tokens that are safe.
_SUSPECT_TOKEN = re.compile(r"\\u|[0-9]{19}|[0-9][eE]|[NI]")
_STRING_OR_SCALAR = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[^ \t\n\r"{}\[\],:]+', re.DOTALL)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)((?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)")


def make_text_safe(text: str) -> str:
    r"""Make a string storable as UTF-8 text.

    NUL is removed. Surrogate pairs are joined to their character; lone surrogates become U+FFFD.
    Clean text is returned as it is.

    Example:
        >>> make_text_safe("a\x00b \ud83d\ude00 \ud800") == "ab \U0001f600 \ufffd"
        True
    """
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\0", "") if "\0" in text else text


def fits_64_bits(literal: str) -> bool:
    """Return whether a JSON integer is between -2**63 and 2**64 - 1.

    That is the range of msgpack. The literal may be of any length: the interpreter's limit on long
    digit strings is not reached.
    """
    return len(literal) < 19 or (len(literal) <= 20 and INT_MIN <= int(literal) <= INT_MAX)


def make_scalar_safe(literal: str) -> str | None:
    """Return the safe spelling of a JSON number or word.

    An integer that does not fit becomes a string of its digits, what is no finite number `null`.
    The result is `None` if the literal is not JSON.

    Example:
        >>> [make_scalar_safe(text) for text in ("1.5", "18446744073709551616", "NaN", "yes")]
        ['1.5', '"18446744073709551616"', 'null', None]
    """
    if number := _NUMBER.fullmatch(literal):
        if not number[1]:
            return literal if fits_64_bits(literal) else f'"{literal}"'
        return literal if math.isfinite(float(literal)) else "null"
    if literal in ("true", "false", "null"):
        return literal
    return "null" if literal in ("NaN", "Infinity", "-Infinity") else None


def make_json_safe(value: object) -> JSON:
    r"""Copy a value and replace what cannot be stored everywhere.

    JSON, msgpack, UTF-8 and the text of PostgreSQL can hold the copy. Never raises. Sharing is not
    kept: a container that occurs twice is copied twice.

    Args:
        value: Any object; usually one that was read from JSON.

    Returns:
        New containers with: strings as by `make_text_safe`; dict keys as strings (of keys that
        become equal the last wins); tuples as lists; integers beyond -2**63 ... 2**64 - 1 as
        decimal text (hexadecimal if longer than `sys.get_int_max_str_digits()`); NaN and infinities
        as None; containers below level `MAX_DEPTH` as their JSON text; a container within itself as
        `CIRCULAR`; any other object as its `str`, or `UNPRINTABLE`.

    Example:
        >>> make_json_safe({"n": 2**64, 1: (float("nan"), "a\x00b")})
        {'n': '18446744073709551616', '1': [None, 'ab']}
    """
    if not _is_container(value):
        return _copy_scalar(value)
    root = _make_empty(value)
    todo = [(cast("_Container", value), root, frozenset[int]())]

    def convert(child: object, path: frozenset[int]) -> JSON:
        if not _is_container(child):
            return _copy_scalar(child)
        if id(child) in path:
            return CIRCULAR
        if len(path) >= MAX_DEPTH:
            return _write_json(cast("_Container", child), path)
        copy = _make_empty(child)
        todo.append((cast("_Container", child), copy, path))
        return copy

    while todo:
        source, target, above = todo.pop()
        path = above | {id(source)}
        if isinstance(target, dict):
            for key, child in _list_items(source):
                target[cast("str", key)] = convert(child, path)
        else:
            target.extend([convert(child, path) for _, child in _list_items(source)])
    return root


def is_json_safe(value: object, *, levels: int = MAX_DEPTH) -> bool:
    """Check fast whether `make_json_safe` would leave a value unchanged.

    The result may be False for a safe value, too.
    """
    kind = type(value)
    if kind is str:
        return cast("str", value).isascii() and "\0" not in cast("str", value)
    if kind is dict:
        return levels > 0 and all(
            type(key) is str and is_json_safe(key) and is_json_safe(child, levels=levels - 1)
            for key, child in cast("dict[object, object]", value).items()
        )
    if kind is list:
        return levels > 0 and all(
            is_json_safe(child, levels=levels - 1) for child in cast("list[object]", value)
        )
    if kind is int:
        return INT_MIN <= cast("int", value) <= INT_MAX
    return value is None or kind is bool or (kind is float and math.isfinite(cast("float", value)))


def dumps(value: object) -> str:
    """Write a value as JSON that every server parses, as by `make_json_safe`."""
    return _ENCODER.encode(value if is_json_safe(value) else make_json_safe(value))


def loads(data: bytes | str) -> JSON:
    r"""Parse JSON from the wire into a value safe as by `make_json_safe`.

    Args:
        data: One JSON document. Bytes are UTF-8, whatever a header says; one leading byte order
            mark is ignored.

    Returns:
        The value. Integers beyond -2**63 ... 2**64 - 1 are their decimal digits as text, NaN,
        infinities and overflowing floats are None, containers below level `MAX_DEPTH` are their
        JSON text. Never raises RecursionError, as long as some 100 levels of the stack are free.

    Raises:
        json.JSONDecodeError: The document is malformed. It is a ValueError.
        UnicodeDecodeError: The bytes are not UTF-8. It is a ValueError.

    Example:
        >>> loads(b'{"n": 18446744073709551616, "x": 1e999, "s": "\\ud800"}')
        {'n': '18446744073709551616', 'x': None, 's': '\ufffd'}
    """
    if isinstance(data, str):
        text = data.removeprefix("\ufeff")
        clean = text.isascii() or make_text_safe(text) == text
    else:
        text = data.removeprefix(_UTF8_BOM).decode()
        clean = True
    if "\0" in text:
        raise json.JSONDecodeError("Invalid control character at", text, text.index("\0"))
    try:
        value = _parse(text)
    except RecursionError:
        value = _parse(make_shallow(text, strict=True))
    safe = clean and not _has_unsafe_escape(text) and not _is_deep(value, text)
    return value if safe else make_json_safe(value)


def is_json(text: str) -> bool:
    """Return whether a text is one JSON document, of any depth.

    Control characters within strings are allowed, as LangChain allows them in tool arguments.
    """
    try:
        try:
            _LENIENT_CHECKER.decode(text)
        except RecursionError:
            _LENIENT_CHECKER.decode(make_shallow(text, strict=False))
    except ValueError:
        return False
    return True


def make_shallow(text: str, *, strict: bool) -> str:
    """Replace containers below level `MAX_DEPTH` by strings of their JSON text.

    These strings are made safe. It takes time in proportion to the text and does not recurse,
    whatever the depth. With `strict` it refuses control characters within strings.

    Raises:
        json.JSONDecodeError: The document is malformed.
    """
    blocks: list[list[str]] = [[]]  # the text so far at level 0, MAX_DEPTH, 2 * MAX_DEPTH, …
    opened: list[int] = []  # where each of the blocks but the first begins
    decoder = _CHECKER if strict else _LENIENT_CHECKER
    depth = at = done = 0
    while mark := _MARK.search(text, at):
        at = mark.end()
        if mark[0] == '"':
            at = decoder.raw_decode(text, mark.start())[1]
        elif mark[0] in "[{":
            if depth and depth % MAX_DEPTH == 0:
                blocks[-1].append(text[done : mark.start()])
                blocks.append([])
                opened.append(done := mark.start())
            depth += 1
            if depth % MAX_DEPTH == 1 and (jump := _OPENINGS.match(text, at)):
                at = jump.end()
                depth += MAX_DEPTH - 1
        else:
            depth -= 1
            if opened and depth % MAX_DEPTH == 0:
                blocks[-1].append(text[done:at])
                decoder.decode("".join(blocks.pop()))
                begin, done = opened.pop(), at
                # Only the outermost deep container is written; the others were checked.
                blocks[-1].append(
                    "[]" if opened else _ENCODER.encode(_make_tokens_safe(text[begin:at]))
                )
                if jump := _CLOSINGS.match(text, at):
                    at = jump.end()
                    depth -= MAX_DEPTH - 1
    if opened:
        raise json.JSONDecodeError("Unterminated container starting at", text, opened[0])
    # In place of a key, a string would be well-formed although the container is not.
    decoder.decode("[]".join([*blocks[0][::2], text[done:]]))
    return "".join([*blocks[0], text[done:]])


def _make_tokens_safe(text: str) -> str:
    """Make the strings and scalars of a well-formed document safe."""
    if text.isascii() and not _SUSPECT_TOKEN.search(text):
        return text
    return _STRING_OR_SCALAR.sub(lambda found: _make_token_safe(found[0]), text)


def _make_token_safe(token: str) -> str:
    if token[0] != '"':
        return make_scalar_safe(token) or token
    if token.isascii() and "\\u" not in token:
        return token
    string = json.loads(token, strict=False)
    return token if make_text_safe(string) == string else _ENCODER.encode(make_text_safe(string))


def _parse(text: str) -> JSON:
    try:
        value, end = _DECODER.raw_decode(text)
    except json.JSONDecodeError:
        end = -1
    # With white space around it, or malformed, which `decode` explains.
    return cast("JSON", value if end == len(text) else _DECODER.decode(text))


def _parse_integer(literal: str) -> int | str:
    if len(literal) < 19 or fits_64_bits(literal):
        return int(literal)
    return literal


def _parse_float(literal: str) -> float | None:
    number = float(literal)
    return number if math.isfinite(number) else None


# `json.loads` with these arguments would make a decoder for each document.
_DECODER: Final = json.JSONDecoder(
    parse_int=_parse_integer, parse_float=_parse_float, parse_constant=lambda _: None
)


def _has_unsafe_escape(text: str) -> bool:
    if "\\" not in text:
        return False
    suspect = "\\u" in text and ("\\u0000" in text or "\\ud" in text or "\\uD" in text)
    return suspect and _UNSAFE_ESCAPE.search(text) is not None


def _is_deep(value: JSON, text: str) -> bool:
    """Return whether the value of `text` has containers below level `MAX_DEPTH`."""
    # For a short text counting takes less time than a walk through the value, for a long one more.
    if len(text) < _LONG and text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    level: list[JSON] = [[value]]
    for _ in range(MAX_DEPTH + 1):
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else cast("list[JSON]", parent))
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return False
    return True


def _is_container(value: object) -> bool:
    # isinstance would read `__class__` of the object, and a proxy may raise there.
    kind = type(value)
    return issubclass(kind, dict) or issubclass(kind, list) or issubclass(kind, tuple)


def _make_empty(container: object) -> dict[str, JSON] | list[JSON]:
    return {} if issubclass(type(container), dict) else []


def _list_items(container: _Container) -> list[tuple[str | None, object]]:
    """Return a container's items, past methods that a subclass overrides."""
    if isinstance(container, dict):
        return [(_write_key(key), child) for key, child in list(dict.items(container))]
    if isinstance(container, list):
        return [(None, child) for child in list.__getitem__(container, slice(None))]
    return [(None, child) for child in tuple.__iter__(container)]


def _write_key(key: object) -> str:
    if type(key) is str:
        return make_text_safe(key)
    if type(key) is int:
        return _write_decimal(key)
    return _write_text(key)


def _copy_scalar(value: object) -> str | int | float | bool | None:
    kind = type(value)
    if kind is str:
        return make_text_safe(cast("str", value))
    if value is None or kind is bool:
        return cast("bool | None", value)
    if issubclass(kind, int):
        number = int.__index__(cast("int", value))
        return number if INT_MIN <= number <= INT_MAX else _write_decimal(number)
    if issubclass(kind, float):
        real = float.__float__(cast("float", value))
        return real if math.isfinite(real) else None
    if issubclass(kind, str):
        return make_text_safe(str.__str__(cast("str", value)))
    return _write_text(value)


def _write_decimal(number: int) -> str:
    try:
        return str(number)
    except ValueError:  # the interpreter's limit on digits
        return hex(number)


def _write_text(value: object) -> str:
    try:
        return make_text_safe(str.__str__(str(value)))
    except Exception:  # noqa: BLE001 - whatever a foreign __str__ raises, the value stays readable
        return UNPRINTABLE


def _quote(value: object) -> str:
    return _ENCODER.encode(_copy_scalar(value))


def _write_json(root: _Container, above: frozenset[int]) -> str:
    """Write a container of any depth as JSON, without recursion.

    The text is that of `json.dumps(..., ensure_ascii=False)` for safe values. `above` has the
    identities of the containers around it.
    """
    parts: list[str] = []
    path = set(above)
    frames: list[tuple[Iterator[tuple[str | None, object]], str, int]] = []

    def enter(container: _Container) -> None:
        opening, closing = "{}" if isinstance(container, dict) else "[]"
        parts.append(opening)
        path.add(id(container))
        frames.append((iter(_list_items(container)), closing, id(container)))

    enter(root)
    while frames:
        items, closing, identity = frames[-1]
        for key, child in items:
            if parts[-1] not in ("{", "["):
                parts.append(", ")
            if key is not None:
                parts.append(_quote(key) + ": ")
            if not _is_container(child):
                parts.append(_quote(child))
            elif id(child) in path:
                parts.append(_quote(CIRCULAR))
            else:
                enter(cast("_Container", child))
                break
        else:
            parts.append(closing)
            path.discard(identity)
            frames.pop()
    return "".join(parts)
