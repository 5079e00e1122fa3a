"""Ask agents live and keep their envelopes: `make record-agents`.

With a key and a seed it registers our mailbox, asks public agents, and writes each envelope that
came into a file of its own. What the pure modules make of them can then be tested without a key.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, Final

from langchain_asi_one.agents import AgentChat, AgentError, search_agents
from langchain_asi_one.agents._envelope import read_session
from langchain_asi_one.agents._loop import run

FOLDER: Final = Path(__file__).parents[1] / "cassettes" / "agents"
_NEEDED: Final = ("AGENTVERSE_API_KEY", "AGENTVERSE_AGENT_SEED")
_QUESTION: Final = "What can you do? Please answer in one sentence."
_SECONDS: Final = 120.0


def record(chat: AgentChat, addresses: list[str], folder: Path) -> list[str]:
    """Ask each agent once and write down what came; return a line for each."""
    envelopes = run(_keep_envelopes(chat))
    chat.register(description="Records envelopes for tests.")
    folder.mkdir(parents=True, exist_ok=True)
    told = []
    for address in addresses:
        envelopes.clear()
        try:
            outcome = chat.ask(address, _QUESTION, timeout=_SECONDS).response_metadata["ended"]
        except AgentError as error:
            outcome = f"{type(error).__name__}: {error.message}"
        for number, envelope in enumerate(envelopes, start=1):
            text = json.dumps(envelope, indent=2, sort_keys=True)
            (folder / f"{address}-{number}.json").write_text(text + "\n", encoding="utf-8")
        told.append(f"{address}: {len(envelopes)} envelopes, {outcome}")
    return told


async def _keep_envelopes(chat: AgentChat) -> list[Any]:
    inbox = (await chat.find_conversations()).inbox
    envelopes: list[Any] = []
    put = inbox.put

    def keep(envelope: object, uuid: str | None = None) -> bool:
        if read_session(envelope) in inbox.questions and envelope not in envelopes:
            envelopes.append(envelope)
        return put(envelope, uuid)

    inbox.put = keep  # type: ignore[method-assign]
    return envelopes


def main() -> int:
    """Ask the agents in the arguments, or three that the search finds."""
    if missing := [name for name in _NEEDED if not os.environ.get(name)]:
        sys.stderr.write(
            f"error: {' and '.join(missing)} not set. Recording asks real agents: get a key in "
            "Agentverse's settings, make a seed of its own, then: AGENTVERSE_API_KEY=… "
            "AGENTVERSE_AGENT_SEED=… make record-agents\n"
        )
        return 1
    addresses = sys.argv[1:] or [one["address"] for one in search_agents("weather", limit=3)]
    sys.stdout.write("\n".join(record(AgentChat(), addresses, FOLDER)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
