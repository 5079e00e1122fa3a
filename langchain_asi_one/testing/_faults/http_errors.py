"""Faults that refuse a request with an HTTP status, or redirect it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langchain_asi_one.testing._fault_registry import register_fault
from langchain_asi_one.testing._responses import Script, make_error_body, make_response

if TYPE_CHECKING:
    from langchain_asi_one.testing._requests import Exchange

HTML_PAGE = "<!doctype html><html><body><h1>{}</h1><p>A proxy, not the API.</p></body></html>"
SERVER_ERROR = "The server had an error while processing your request."


@register_fault("400 with error.code unknown_parameter naming `param`")
def _http_400_unknown_parameter(_: Exchange, param: str = "top_k") -> Script:
    message = f"Unknown parameter: '{param}'."
    return make_response(
        make_error_body(400, message, code="unknown_parameter", param=param), status=400
    )


@register_fault("400 with an empty body")
def _http_400_empty(_: Exchange) -> Script:
    return make_response(b"", status=400)


@register_fault("400 unknown_parameter for requests that hold stream_options; answers all others")
def _http_400_stream_options(exchange: Exchange) -> Script:
    if "stream_options" in exchange.payload:
        return _http_400_unknown_parameter(exchange, param="stream_options")
    return exchange.answer()


def _refuse(status: int, message: str, code: str, kind: str = "invalid_request_error") -> Script:
    return make_response(make_error_body(status, message, code=code, kind=kind), status=status)


@register_fault("401 as for a wrong API key, without quoting it")
def _http_401(_: Exchange) -> Script:
    return _refuse(401, "Invalid API key provided.", "invalid_api_key", "authentication_error")


@register_fault("401 whose text quotes the API key it received, to test redaction")
def _echo_key(exchange: Exchange) -> Script:
    message = f"Incorrect API key provided: {exchange.key}."
    return _refuse(401, message, "invalid_api_key", "authentication_error")


@register_fault("403 as for a key without the right")
def _http_403(_: Exchange) -> Script:
    return _refuse(403, "Your key may not use this model.", "forbidden", "permission_error")


@register_fault("404 as for a wrong path")
def _http_404(_: Exchange) -> Script:
    return _refuse(404, "Not found.", "not_found")


@register_fault(
    "422 with a validating gateway's `detail` list, as reported for a missing x-session-id"
)
def _http_422_session(_: Exchange) -> Script:
    problem = {
        "type": "missing",
        "loc": ["header", "x-session-id"],
        "msg": "missing header x-session-id",
        "input": None,
    }
    return make_response({"detail": [problem]}, status=422)


@register_fault("429 with the documented quota text and a `retry_after` header (none: no header)")
def _http_429(_: Exchange, retry_after: str | None = "1") -> Script:
    message = "Your plan's rate limit is exhausted"
    headers = {} if retry_after is None else {"retry-after": retry_after}
    body = make_error_body(429, message, code="rate_limit_exceeded", kind="rate_limit_error")
    return make_response(body, status=429, headers=headers)


@register_fault("429 whose Retry-After (3600 s) is longer than a client should wait")
def _http_429_forever(exchange: Exchange) -> Script:
    return _http_429(exchange, retry_after="3600")


@register_fault("500, or another 5xx `status`, with an error object")
def _http_500(_: Exchange, status: int = 500) -> Script:
    return _refuse(status, SERVER_ERROR, "server_error", "server_error")


@register_fault("503, or another `status`, with an HTML page of a proxy")
def _http_503_html(_: Exchange, status: int = 503) -> Script:
    page = HTML_PAGE.format(f"{status} Service Unavailable")
    return make_response(page, status=status, content_type="text/html")


@register_fault('`status` 400 whose `error` is a text: {"error": "…"}')
def _error_string(_: Exchange, status: int = 400) -> Script:
    return make_response({"error": "Something is wrong with this request."}, status=status)


@register_fault('`status` 400 whose `error` is empty: {"error": {}}')
def _error_empty(_: Exchange, status: int = 400) -> Script:
    return make_response({"error": {}}, status=status)


@register_fault("redirect with `status` 307 to `location` (a path of this server that answers 404)")
def _redirect(exchange: Exchange, status: int = 307, location: str | None = None) -> Script:
    target = f"{exchange.base_url}/redirected" if location is None else location
    return make_response(b"", status=status, headers={"location": target})
