"""Refuses requests as strictly as the API is documented (or reported) to do."""

from __future__ import annotations

import json
import re
from typing import Any

from langchain_asi_one.testing._responses import make_error_body

MODELS = ("asi1", "asi1-ultra", "asi1-mini")

KNOWN_FIELDS = frozenset(
    {
        "model",
        "messages",
        "stream",
        "temperature",
        "max_tokens",
        "top_p",
        "frequency_penalty",
        "presence_penalty",
        "stop",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "response_format",
        "web_search",
        "agent_address",
        "planner_mode",
        "agents",
        "study_mode",
        "stream_options",
        "enable_thinking",
        "thinking_budget",
        "fun_mode",
        "web3_enabled",
        "functions",
        "function_call",
    }
)
"""Top-level request fields with evidence that the API takes them; any other one gets a 400."""

_RANGES = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
}
_FLAGS = ("stream", "web_search", "planner_mode", "study_mode", "enable_thinking")
_FLAGS_AND_SWITCHES = (*_FLAGS, "parallel_tool_calls")
_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ROLES = ("system", "user", "assistant", "tool")


class RequestRefusedError(Exception):
    """A request that the stand-in answers with an error.

    Args:
        message: What is wrong, for the ``error.message`` of the answer.
        param: The request field at fault.
        code: Machine-readable code of the error.
        status: HTTP status, 400 unless told.
    """

    def __init__(
        self, message: str, *, param: str | None = None, code: str | None = None, status: int = 400
    ) -> None:
        super().__init__(message)
        self.status = status
        kind = "authentication_error" if status == 401 else "invalid_request_error"
        self.body = make_error_body(status, message, code=code, param=param, kind=kind)


def parsed(raw: bytes) -> dict[str, Any]:
    """The request body as a JSON object.

    Raises:
        RequestRefusedError: It is not JSON, or not an object.
    """
    try:
        payload = json.loads(raw)
    except (ValueError, RecursionError) as cause:
        msg = "The request body is not valid JSON."
        raise RequestRefusedError(msg, code="invalid_json") from cause
    if not isinstance(payload, dict):
        raise RequestRefusedError("The request body must be a JSON object.", code="invalid_json")
    return payload


def check(payload: dict[str, Any]) -> None:
    """Refuse what the documentation does not allow.

    Args:
        payload: The parsed request body.

    Raises:
        RequestRefusedError: The first thing that is wrong, with the parameter named.
    """
    for name in payload:
        if name not in KNOWN_FIELDS:
            msg = f"Unknown parameter: '{name}'."
            raise RequestRefusedError(msg, param=name, code="unknown_parameter")
    _check_model(payload.get("model"))
    _check_values(payload)
    _check_forms(payload)
    _check_tools(payload)
    _check_messages(payload)


def _check_model(model: Any) -> None:
    if model is None:
        raise RequestRefusedError(
            "Missing parameter: 'model'.", param="model", code="missing_parameter"
        )
    if model not in MODELS:
        msg = f"Unsupported model: {model!r}. Supported: {', '.join(MODELS)}."
        raise RequestRefusedError(msg, param="model", code="unsupported_model")


def _check_values(payload: dict[str, Any]) -> None:
    for name, (low, high) in _RANGES.items():
        value = payload.get(name)
        if value is None:
            continue
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not low <= value <= high
        ):
            msg = f"Invalid value for '{name}': {value!r}; expected a number from {low} to {high}."
            raise RequestRefusedError(msg, param=name, code="invalid_value")
    for name in _FLAGS_AND_SWITCHES:
        if not isinstance(payload.get(name), bool | None):
            msg = f"Invalid value for '{name}': expected true or false."
            raise RequestRefusedError(msg, param=name, code="invalid_type")
    for name in ("max_tokens", "thinking_budget"):
        value = payload.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            msg = f"Invalid value for '{name}': expected an integer."
            raise RequestRefusedError(msg, param=name, code="invalid_type")
    for name in ("stop", "agents"):
        value = payload.get(name)
        texts = [value] if name == "stop" and isinstance(value, str) else value
        if texts is None or (isinstance(texts, list) and all(isinstance(t, str) for t in texts)):
            continue
        msg = f"Invalid value for '{name}': expected a list of strings."
        raise RequestRefusedError(msg, param=name, code="invalid_type")


def _check_forms(payload: dict[str, Any]) -> None:
    options = payload.get("stream_options")
    if not isinstance(options, dict | None):
        msg = "'stream_options' must be an object."
        raise RequestRefusedError(msg, param="stream_options", code="invalid_type")
    form = payload.get("response_format")
    kind = form.get("type") if isinstance(form, dict) else form
    if kind not in (None, "text", "json_object", "json_schema"):
        msg = f"Invalid 'response_format': {kind!r}; expected text, json_object or json_schema."
        raise RequestRefusedError(msg, param="response_format", code="invalid_value")
    wrapped = form.get("json_schema") if isinstance(form, dict) else None
    schema = wrapped.get("schema") if isinstance(wrapped, dict) else None
    if kind == "json_schema" and not isinstance(schema, dict):
        msg = "'response_format.json_schema.schema' must be an object."
        raise RequestRefusedError(msg, param="response_format", code="invalid_type")


def _check_tools(payload: dict[str, Any]) -> None:
    tools = payload.get("tools") or []
    if not isinstance(tools, list):
        raise RequestRefusedError("'tools' must be a list.", param="tools", code="invalid_type")
    names = [_tool_name(tool, f"tools[{place}]") for place, tool in enumerate(tools)]
    choice = payload.get("tool_choice")
    if choice is None or choice in ("auto", "required", "none"):
        return
    name = None
    if isinstance(choice, dict) and isinstance(choice.get("function"), dict):
        name = choice["function"].get("name")
    if name not in names:
        msg = f"Invalid 'tool_choice': {choice!r}; expected auto, required, none or a given tool."
        raise RequestRefusedError(msg, param="tool_choice", code="invalid_value")


def _tool_name(tool: Any, where: str) -> str:
    if not isinstance(tool, dict) or tool.get("type") != "function":
        msg = f"Invalid '{where}.type': only 'function' tools are supported."
        raise RequestRefusedError(msg, param=f"{where}.type", code="invalid_value")
    function = tool.get("function")
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(name, str) or not _TOOL_NAME.fullmatch(name):
        msg = (
            f"Invalid '{where}.function.name': {name!r}; letters, digits, underscore and hyphen "
            "only, at most 64."
        )
        raise RequestRefusedError(msg, param=f"{where}.function.name", code="invalid_value")
    return name


def _check_messages(payload: dict[str, Any]) -> None:
    messages = payload.get("messages")
    if not isinstance(messages, list) or not messages:
        msg = "'messages' must be a list with at least one message."
        raise RequestRefusedError(msg, param="messages", code="invalid_value")
    call_ids: set[str] = set()
    for place, message in enumerate(messages):
        where = f"messages[{place}]"
        role = message.get("role") if isinstance(message, dict) else None
        if role not in _ROLES:
            msg = f"Invalid '{where}.role': {role!r}; expected one of {', '.join(_ROLES)}."
            raise RequestRefusedError(msg, param=f"{where}.role", code="invalid_value")
        _check_content(message, where, payload["model"])
        if role == "tool" and message.get("tool_call_id") not in call_ids:
            msg = f"'{where}.tool_call_id' matches no earlier tool call."
            raise RequestRefusedError(msg, param=f"{where}.tool_call_id", code="invalid_value")
        call_ids |= _call_ids(message.get("tool_calls"), where)


def _check_content(message: dict[str, Any], where: str, model: str) -> None:
    content, role = message.get("content"), message["role"]
    if isinstance(content, str) or (content is None and role == "assistant"):
        return
    parts = content if role != "tool" and isinstance(content, list) else None
    if parts is None:
        expected = "a string" if role != "assistant" else "a string or null"
        msg = f"Invalid '{where}.content': expected {expected} for role {role!r}."
        raise RequestRefusedError(msg, param=f"{where}.content", code="invalid_type")
    # The API takes images with asi1 only; the form of the part is not published, OpenAI's assumed.
    allowed = {"text", "image_url"} if model == "asi1" and role == "user" else {"text"}
    for place, part in enumerate(parts):
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in allowed or not isinstance(part[kind], str | dict):
            msg = f"Invalid '{where}.content[{place}].type': {kind!r} is not supported by {model}."
            raise RequestRefusedError(msg, param=f"{where}.content[{place}]", code="invalid_value")


def _call_ids(calls: Any, where: str) -> set[str]:
    ids: set[str] = set()
    for place, call in enumerate(calls if isinstance(calls, list) else [calls] if calls else []):
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("arguments"), str):
            msg = f"'{where}.tool_calls[{place}]' needs function.name and function.arguments."
            param = f"{where}.tool_calls[{place}].function"
            raise RequestRefusedError(msg, param=param, code="invalid_value")
        ids.add(str(call.get("id")))
    return ids
