"""Refuses requests as strictly as the API is documented to.

Where ASI:One documents nothing, the rules are those of OpenAI's API.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Callable
from math import isfinite
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

from langchain_asi_one._model_profiles import PROFILES
from langchain_asi_one._request.fields import DOMAINS, TYPES
from langchain_asi_one.testing._responses import make_error_body
from langchain_asi_one.testing._schema_validation import find_schema_error

MODELS: Final = tuple(PROFILES)
# Besides the fields that a request of this package can have.
_OTHER_FIELDS: Final = {"messages", "fun_mode", "web3_enabled", "functions", "function_call"}
KNOWN_FIELDS: Final = frozenset({*TYPES, *_OTHER_FIELDS})
"""Top-level request fields with evidence that the API takes them; any other one gets a 400."""

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
# An assistant message may go back whole (docs/wire-format.md, 1.4).
_OF_RESPONSES: Final = {
    *("annotations", "audio", "function_call", "reasoning", "reasoning_content", "refusal"),
}
_MESSAGE_FIELDS: Final = {
    "system": {"content", "name"},
    "user": {"content", "name"},
    "assistant": {"content", "name", "tool_calls", *_OF_RESPONSES},
    "tool": {"content", "tool_call_id"},
}
_FUNCTION_FIELDS: Final = {"name", "description", "parameters", "strict"}
_FORMATS: Final = ("text", "json_object", "json_schema")
_MOST_STOPS: Final = 4
_MOST_TOOLS: Final = 128
_IMAGE_DATA: Final = re.compile(r"data:image/[a-z.+-]+;base64,", re.IGNORECASE)


class RequestRefusedError(Exception):
    """A request that the stand-in answers with an error.

    Args:
        message: What is wrong, for the ``error.message`` of the answer.
        param: The request field at fault.
        code: Machine-readable code of the error.
        status: HTTP status, 400 by default.
    """

    def __init__(
        self, message: str, *, param: str | None = None, code: str | None = None, status: int = 400
    ) -> None:
        super().__init__(message)
        self.status = status
        kind = "authentication_error" if status == 401 else "invalid_request_error"
        self.body = make_error_body(status, message, code=code, param=param, kind=kind)


def check_content_type(content_type: str) -> None:
    """Refuse a body that is not said to be JSON.

    Raises:
        RequestRefusedError: It is not `application/json`, with any parameters.
    """
    if content_type.partition(";")[0].strip().lower() != "application/json":
        msg = f"Unsupported content type: {content_type!r}. Send 'application/json'."
        raise RequestRefusedError(msg, code="unsupported_content_type")


def parse_body(raw: bytes) -> dict[str, Any]:
    """Return the request body as a JSON object.

    Raises:
        RequestRefusedError: It is not JSON, not an object, or holds half of a surrogate pair.
    """
    try:
        payload = json.loads(raw.decode(), parse_constant=_parse_number, parse_float=_parse_number)
        json.dumps(payload, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as cause:
        msg = "The request body is not valid JSON."
        raise RequestRefusedError(msg, code="invalid_json") from cause
    if not isinstance(payload, dict):
        raise RequestRefusedError("The request body must be a JSON object.", code="invalid_json")
    return payload


def _parse_number(text: str) -> float:
    if not isfinite(number := float(text)):
        raise ValueError(text)
    return number


def check_request(payload: dict[str, Any]) -> None:
    """Refuse what the documentation does not allow.

    Args:
        payload: The parsed request body.

    Raises:
        RequestRefusedError: The first thing that is wrong, with the parameter named.
    """
    _check_fields(payload, KNOWN_FIELDS, "")
    _check_model(payload.get("model"))
    _check_values(payload)
    _check_stream_options(payload)
    _check_response_format(payload.get("response_format"))
    _check_tools(payload)
    _check_messages(payload)
    _check_word(payload)


def _refuse(param: str, message: str, code: str = "invalid_value") -> NoReturn:
    raise RequestRefusedError(message, param=param, code=code)


def _refuse_type(param: str, expected: str) -> NoReturn:
    _refuse(param, f"Invalid value for '{param}': expected {expected}.", "invalid_type")


def _check_fields(value: dict[str, Any], known: frozenset[str] | set[str], where: str) -> None:
    for name in value:
        if name not in known:
            param = f"{where}.{name}" if where else name
            _refuse(param, f"Unknown parameter: '{param}'.", "unknown_parameter")


def _check_model(model: Any) -> None:
    if model is None:
        _refuse("model", "Missing parameter: 'model'.", "missing_parameter")
    if model not in MODELS:
        msg = f"Unsupported model: {model!r}. Supported: {', '.join(MODELS)}."
        _refuse("model", msg, "unsupported_model")


def _is_list_of_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


_JSON_TYPES: Final[dict[Any, tuple[str, Callable[[Any], bool]]]] = {
    bool | None: ("true or false", lambda value: isinstance(value, bool)),
    int | None: ("an integer, 0 or more", lambda value: type(value) is int and value >= 0),
    str | None: ("a string", lambda value: isinstance(value, str)),
    list[str] | None: ("a list of strings", _is_list_of_strings),
    list[str] | str | None: (
        f"a string or a list of at most {_MOST_STOPS} strings",
        lambda value: (
            isinstance(value, str) or (_is_list_of_strings(value) and len(value) <= _MOST_STOPS)
        ),
    ),
}


def _check_values(payload: dict[str, Any]) -> None:
    for name, domain in DOMAINS.items():
        value = payload.get(name)
        if value is None:
            continue
        if TYPES[name] in _JSON_TYPES:
            expected, accepts = _JSON_TYPES[TYPES[name]]
            if not accepts(value):
                _refuse_type(name, expected)
        elif not domain.accepts(value):
            _refuse(name, f"Invalid value for '{name}': {value!r}; expected {domain.wanted}.")


def _check_stream_options(payload: dict[str, Any]) -> None:
    options = payload.get("stream_options")
    if options is None:
        return
    if not isinstance(options, dict):
        _refuse("stream_options", "'stream_options' must be an object.", "invalid_type")
    if not payload.get("stream"):
        _refuse("stream_options", "'stream_options' is only allowed when 'stream' is true.")
    _check_fields(options, {"include_usage"}, "stream_options")
    if not isinstance(options.get("include_usage"), bool | None):
        _refuse_type("stream_options.include_usage", "true or false")


def _check_response_format(form: Any) -> None:
    where = "response_format"
    kind = form.get("type") if isinstance(form, dict) else form
    if kind is not None and kind not in _FORMATS:
        msg = f"Invalid '{where}': {kind!r}; expected text, json_object or json_schema."
        _refuse(where, msg)
    if form is None:
        return
    if not isinstance(form, dict) or kind is None:
        _refuse_type(where, "an object with 'type'")
    _check_fields(form, {"type", "json_schema"} if kind == "json_schema" else {"type"}, where)
    if kind != "json_schema":
        return
    wrapped = form.get("json_schema")
    schema = wrapped.get("schema") if isinstance(wrapped, dict) else None
    if not isinstance(wrapped, dict) or not isinstance(schema, dict):
        msg = f"'{where}.json_schema.schema' must be an object."
        _refuse(where, msg, "invalid_type")
    where = f"{where}.json_schema"
    _check_fields(wrapped, {"name", "description", "schema", "strict"}, where)
    _check_name(wrapped.get("name"), f"{where}.name")
    _check_description_and_strictness(wrapped, schema, where)


def _check_description_and_strictness(
    value: dict[str, Any], schema: dict[str, Any], where: str
) -> None:
    if not isinstance(value.get("description"), str | None):
        _refuse_type(f"{where}.description", "a string")
    if not isinstance(value.get("strict"), bool | None):
        _refuse_type(f"{where}.strict", "true or false")
    strict = bool(value.get("strict"))
    error = find_schema_error(schema, strict=strict)
    if strict and not error and schema.get("type") != "object":
        error = "with 'strict', the schema needs 'type': 'object'"
    if error:
        _refuse(where, f"Invalid schema for '{where}': {error}.", "invalid_schema")


def _check_name(name: Any, where: str) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        msg = (
            f"Invalid '{where}': {name!r}; letters, digits, underscore and hyphen only, at most 64."
        )
        _refuse(where, msg)
    return name


def _check_tools(payload: dict[str, Any]) -> None:
    tools = payload.get("tools")
    if tools is None:
        for name in ("tool_choice", "parallel_tool_calls"):
            if payload.get(name) is not None:
                _refuse(name, f"'{name}' is only allowed when 'tools' are given.")
        return
    if not isinstance(tools, list) or not tools:
        _refuse("tools", "'tools' must be a list with at least one tool.", "invalid_type")
    if len(tools) > _MOST_TOOLS:
        _refuse("tools", f"'tools' holds {len(tools)} tools; expected at most {_MOST_TOOLS}.")
    names = [_check_tool(tool, f"tools[{place}]") for place, tool in enumerate(tools)]
    choice = payload.get("tool_choice")
    if choice is None or choice in ("auto", "required", "none"):
        return
    if isinstance(choice, dict) and choice.get("type") == "function":
        _check_fields(choice, {"type", "function"}, "tool_choice")
        function = choice.get("function")
        if isinstance(function, dict) and function.get("name") in names:
            _check_fields(function, {"name"}, "tool_choice.function")
            return
    msg = f"Invalid 'tool_choice': {choice!r}; expected auto, required, none or a given tool."
    _refuse("tool_choice", msg)


def _check_tool(tool: Any, where: str) -> str:
    if not isinstance(tool, dict) or tool.get("type") != "function":
        msg = f"Invalid '{where}.type': only 'function' tools are supported."
        _refuse(f"{where}.type", msg)
    _check_fields(tool, {"type", "function"}, where)
    where = f"{where}.function"
    function = tool.get("function")
    if not isinstance(function, dict):
        _refuse_type(where, "an object")
    name = _check_name(function.get("name"), f"{where}.name")
    _check_fields(function, _FUNCTION_FIELDS, where)
    parameters = function.get("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        _refuse_type(f"{where}.parameters", "an object")
    if parameters is not None and parameters.get("type") != "object":
        msg = f"Invalid schema for '{where}.parameters': expected 'type': 'object'."
        _refuse(f"{where}.parameters", msg, "invalid_schema")
    _check_description_and_strictness(function, parameters or {"type": "object"}, where)
    return name


def _check_messages(payload: dict[str, Any]) -> None:
    messages = payload.get("messages")
    if not isinstance(messages, list) or not messages:
        _refuse("messages", "'messages' must be a list with at least one message.")
    open_calls: set[str] = set()
    for place, message in enumerate(messages):
        where = f"messages[{place}]"
        role = message.get("role") if isinstance(message, dict) else None
        if not isinstance(role, str) or role not in _MESSAGE_FIELDS:
            msg = f"Invalid '{where}.role': {role!r}; expected one of {', '.join(_MESSAGE_FIELDS)}."
            _refuse(f"{where}.role", msg)
        _check_fields(message, {"role", *_MESSAGE_FIELDS[role]}, where)
        if message.get("name") is not None:
            _check_name(message["name"], f"{where}.name")
        _check_content(message, where, payload["model"])
        if role == "tool":
            call_id = message.get("tool_call_id")
            if not isinstance(call_id, str) or call_id not in open_calls:
                msg = (
                    f"'{where}.tool_call_id': {call_id!r} is no call of the assistant message "
                    f"before it that waits for its result."
                )
                _refuse(f"{where}.tool_call_id", msg)
            open_calls.discard(call_id)
            continue
        _check_answered(open_calls, where)
        open_calls = _read_call_ids(message.get("tool_calls"), where)
    _check_answered(open_calls, f"messages[{len(messages) - 1}]")


def _check_answered(open_calls: set[str], where: str) -> None:
    if open_calls:
        msg = (
            f"'{where}': tool messages must answer each call of the assistant message before it; "
            f"missing: {', '.join(sorted(open_calls))}."
        )
        _refuse(where, msg)


def _check_content(message: dict[str, Any], where: str, model: str) -> None:
    content, role = message.get("content"), message["role"]
    if isinstance(content, str) or (content is None and message.get("tool_calls")):
        return
    if role == "tool" or not isinstance(content, list) or not content:
        expected = "a string" if role != "assistant" else "a string, or null beside tool calls"
        msg = f"Invalid '{where}.content': expected {expected} for role {role!r}."
        _refuse(f"{where}.content", msg, "invalid_type")
    for place, part in enumerate(content):
        _check_part(part, f"{where}.content[{place}]", model, role)


def _check_part(part: Any, where: str, model: str, role: str) -> None:
    kind = part.get("type") if isinstance(part, dict) else None
    # Images are documented for users' messages to the models whose profile says so.
    images = role == "user" and PROFILES[model].get("image_inputs")
    if kind not in (("text", "image_url") if images else ("text",)):
        msg = f"Invalid '{where}.type': {kind!r} is not supported by {model} for role {role!r}."
        _refuse(where, msg)
    _check_fields(part, {"type", str(kind)}, where)
    if kind == "text":
        if not isinstance(part.get("text"), str):
            _refuse_type(f"{where}.text", "a string")
        return
    image = part.get("image_url")
    if not isinstance(image, dict) or not isinstance(image.get("url"), str):
        _refuse_type(f"{where}.image_url", "an object with 'url'")
    where = f"{where}.image_url"
    _check_fields(image, {"url", "detail"}, where)
    if not _leads_to_image(image["url"]):
        msg = (
            f"Invalid '{where}.url': {image['url']!r:.100}; expected an http or https address, or "
            f"base64 data of an image."
        )
        _refuse(f"{where}.url", msg)
    if image.get("detail") not in (None, "auto", "low", "high"):
        _refuse(
            f"{where}.detail",
            f"Invalid '{where}.detail': {image['detail']!r}; expected auto, low or high.",
        )


def _leads_to_image(url: str) -> bool:
    try:
        if data := _IMAGE_DATA.match(url):
            return bool(b64decode(url[data.end() :], validate=True))
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _check_word(payload: dict[str, Any]) -> None:
    """Refuse JSON of any form that no message asks for: OpenAI's rule."""
    form = payload.get("response_format") or {}
    if form.get("type") == "json_object" and "json" not in json.dumps(payload["messages"]).lower():
        msg = "'messages' must contain the word 'json' for 'response_format' json_object."
        _refuse("messages", msg)


def _read_call_ids(calls: Any, where: str) -> set[str]:
    if calls is None:
        return set()
    if not isinstance(calls, list) or not calls:
        _refuse_type(f"{where}.tool_calls", "a list with at least one call")
    ids: set[str] = set()
    for place, call in enumerate(calls):
        inner = f"{where}.tool_calls[{place}]"
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("arguments"), str):
            msg = f"'{inner}' needs function.name and function.arguments."
            _refuse(f"{inner}.function", msg)
        _check_fields(call, {"id", "type", "function", "index"}, inner)
        _check_fields(function, {"name", "arguments"}, f"{inner}.function")
        _check_name(function.get("name"), f"{inner}.function.name")
        if call.get("type") != "function":
            _refuse(f"{inner}.type", f"Invalid '{inner}.type': expected 'function'.")
        if not isinstance(call.get("id"), str) or not call["id"]:
            _refuse_type(f"{inner}.id", "a string that is not empty")
        if call["id"] in ids:
            _refuse(f"{inner}.id", f"'{inner}.id': {call['id']!r} is the id of another call, too.")
        ids.add(call["id"])
    return ids
