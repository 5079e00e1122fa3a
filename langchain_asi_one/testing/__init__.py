"""A local stand-in for ASI:One, to test without key and network.

::

    with local_asi_one() as server:
        model = ChatASIOne(base_url=server.base_url, api_key="any-text")
        model.invoke("Hello")
        assert server.requests[0].session_id

or, from a shell, ``python -m langchain_asi_one.testing``. It is not the API and has no model:
each answer follows from the request by the rules below, carries the header
``x-asi-one-stand-in`` and ``metadata: {"stand_in": true}``, and its text starts with
``[local stand-in]``. It listens on loopback and serves loopback names only, unless ``allow_remote``
is set. It takes bodies up to 32 MiB, and keeps the last 10,000 requests up to 64 MiB.

A request is answered by the first of these that applies. Most are about chat requests, ``POST
/v1/chat/completions``:

====================================================  ============================================
request                                               answer
====================================================  ============================================
no Bearer key, or not the server's ``api_key``        401
replies were queued with ``server.enqueue``           the oldest queued reply
last user text holds ``[fault: NAME option=value]``   that fault (``--list`` names all); with
                                                      ``times=N`` the first N equal requests only
last user text holds ``[sample: FILE]``               that published sample, byte for byte
a top-level field without evidence that it exists     400 ``unknown_parameter``
a model that ASI:One does not have                     400 "Unsupported model"
a tool result without a call, or that is no string    400, the parameter named
a bad tool name, a value out of range                 400, the parameter named
last user text holds ``[deferred: N]``                "I've sent the message", until the Nth
                                                      "Any update?" in the same session
``tool_choice`` is ``required`` or names a tool       tool calls in OpenAI's form (``index`` -1
                                                      outside streams), arguments made from the
                                                      schema and the words of the text
``tool_choice`` is ``auto``, the text mentions tools  calls of those, in the same form
``response_format`` json_schema or json_object        JSON that fits the schema, or with the
                                                      fields that the prompt quotes
history ends with tool results                        prose with the results
"what did I say" or "remember"                        the user's earlier texts in this session
``POST /v1/image/generate``                           a picture of one colour, as ``b64_json``
anything else                                         the question, and the turn of the session
====================================================  ============================================

Added to an answer when asked for: the record of a server-side tool (``web_search: true``);
``intermediate_steps`` and ``executable_data`` with two made-up agents (text mentions "agent"; with
"bad agent" a third whose address has a wrong character); growing ``plan_state`` snapshots
(``planner_mode: true``). ``stop``, ``max_tokens`` (counted in words, thinking included),
``enable_thinking``, ``thinking_budget`` and ``stream_options.include_usage`` are honoured.
"""

from langchain_asi_one._version import make_missing_error as _make_missing_error

try:
    import starlette as _starlette
    import uvicorn as _uvicorn
except ImportError as _missing:
    raise _make_missing_error(
        "langchain_asi_one.testing", "starlette uvicorn", _missing
    ) from _missing

import langchain_asi_one.testing._faults as _registered  # importing it registers them
from langchain_asi_one.testing._agentverse import local_agentverse
from langchain_asi_one.testing._replies import answer, fault, raw, stream
from langchain_asi_one.testing._server import LocalASIOne, local_asi_one

__all__ = [
    "LocalASIOne",
    "answer",
    "fault",
    "local_agentverse",
    "local_asi_one",
    "raw",
    "stream",
]

del _registered, _starlette, _uvicorn
