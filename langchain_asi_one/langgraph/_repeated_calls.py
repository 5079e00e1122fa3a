"""Which calls of agents repeat others: they are routed and reviewed once."""

from collections.abc import Iterable

from langchain_asi_one._agent_identity import identify_agent, make_call_key
from langchain_asi_one.executable_data import ExecutableEntry


def drop_repeated_calls(entries: Iterable[ExecutableEntry]) -> list[ExecutableEntry]:
    """Return the entries without repetitions, in their order.

    An entry repeats another if it names the same agent with the same tool and the same arguments.
    An entry without an identity repeats none.
    """
    unique: dict[object, ExecutableEntry] = {}
    for place, entry in enumerate(entries):
        key = make_call_key(entry) if identify_agent(entry) else place
        unique.setdefault(key, entry)
    return list(unique.values())
