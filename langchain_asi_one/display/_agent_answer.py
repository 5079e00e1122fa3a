"""How an agent's answer came: its way, signer and end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from langchain_asi_one._agent_address import is_agent_address
from langchain_asi_one.display._sections import shorten

_WAYS: Final = {
    "mailbox": "directly, the answer came by mailbox",
    "endpoint": "directly, the answer came to an endpoint of one's own",
    "asi-one": "through ASI:One, which tells what the agent said; unsigned",
}
_ENDINGS: Final = {
    "quiet": "the agent said no more, and did not end the session",
    "timeout": "the time was over before the agent had ended: more may be missing",
    "flood": "too much came that was no reply of the agent: more may be missing",
}


def is_agent_answer(metadata: Mapping[str, Any]) -> bool:
    """Return whether a message is an agent's own answer, from `AgentChat`."""
    return metadata.get("inbox") in ("mailbox", "endpoint") and is_agent_address(
        metadata.get("agent")
    )


def list_agent_fields(metadata: object) -> Iterator[tuple[str, str]]:
    """Yield label and text of what `response_metadata` says of an agent's answer.

    It may come from the state of a stranger's server: what is malformed is left out.
    """
    if not isinstance(metadata, Mapping):
        return
    if is_agent_answer(metadata):
        yield "asked", _WAYS[metadata["inbox"]]
        yield "signed by", metadata["agent"]
    elif metadata.get("model_provider") == "asi-one":
        yield "asked", _WAYS["asi-one"]
    else:
        return
    ending = metadata.get("ended")
    if isinstance(ending, str) and ending in _ENDINGS:
        yield "ended by", _ENDINGS[ending]
    if metadata.get("session_id"):
        yield "session", shorten(metadata["session_id"])
