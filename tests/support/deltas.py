"""Deltas of an answer that Hypothesis makes up."""

from __future__ import annotations

from hypothesis import strategies as st

from langchain_asi_one._response.reader import Delta

TEXTS = st.sampled_from(["", "a", " ", "Hel", "lo", "\n", "é😀"])
ARGUMENTS = st.sampled_from(
    [
        *("", "{", "}", '{"a": ', "1", '"', " ", "[", "]", "null", "{}", '{"a": 1}', '{"a": "x'),
        *("\\", "\xa0{}", "\ufeff{", "x{}", "5", '"{}"', "[{}]", "NaN", " {", "\n\n", "tru"),
    ]
)
CALLS = st.builds(
    lambda index, call_id, name, args: {"index": index, "id": call_id, "name": name, "args": args},
    st.integers(0, 2),
    st.sampled_from([None, None, None, "c0", "c1"]),
    st.sampled_from([None, None, None, "look", "up"]),
    ARGUMENTS | st.text(max_size=4),
)
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
# A chunk holds one piece of each call, as LangChain only adds up pieces of different chunks.
ITEMS = st.lists(CALLS, max_size=3, unique_by=lambda call: call["index"])
PIECES = st.builds(Delta, text=TEXTS, thought=TEXTS, tool_calls=st.just([]) | ITEMS)
LASTS = st.builds(
    Delta,
    text=TEXTS,
    thought=st.just(""),
    tool_calls=st.just([]) | ITEMS,
    additional_kwargs=st.sampled_from(
        [{}, {"plan_state": {"a": [1]}}, {"executable_data": [{"a": 1}]}]
    ),
    metadata=st.sampled_from([{}, {"finish_reason": "stop", "id": "r1"}]),
    usage=st.sampled_from([{}, USAGE]),
    last=st.just(True),
)
