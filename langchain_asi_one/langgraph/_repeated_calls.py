"""Which calls of agents repeat others: they are routed and reviewed once."""

import json
from collections.abc import Iterable

from langchain_asi_one._agent_identity import identify_agent, make_call_key
from langchain_asi_one.executable_data import ExecutableEntry


def drop_repeated_calls(entries: Iterable[ExecutableEntry]) -> list[ExecutableEntry]:
    """Return the entries without repetitions, in their order.

    An entry repeats another if it names the same agent with the same tool and the same arguments.
    Without an identity it repeats one that was sent as the same JSON.
    """
    unique: dict[tuple[bool, str], ExecutableEntry] = {}
    for entry in entries:
        identified = identify_agent(entry) is not None
        key = make_call_key(entry) if identified else _make_raw_key(entry)
        unique.setdefault((identified, key), entry)
    return list(unique.values())


def _make_raw_key(entry: ExecutableEntry) -> str:
    return json.dumps(entry.get("raw"), sort_keys=True, default=repr)
