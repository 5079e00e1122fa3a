"""What the import of `langchain_asi_one.agents` does to a program: nothing."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

from tests.support.other_process import OtherProcess

PROGRAM = """
    import logging, os, sys
    import langchain_asi_one
    assert not [name for name in sys.modules if name.startswith("uagents_core")], "too early"
    import httpx, langgraph.graph
    def look():
        names = [None, *logging.Logger.manager.loggerDict]
        loggers = {name: logging.getLogger(name) for name in names}
        return {n: (one.level, one.handlers, one.propagate) for n, one in loggers.items()}
    import langchain_asi_one.langgraph, langchain_asi_one.testing
    before, files = look(), os.listdir()
    sys.modules["uagents_core"] = None  # as if it were not installed
    try:
        import langchain_asi_one.agents
    except ImportError as error:
        print(error.name, "|", error)
    del sys.modules["uagents_core"]
    from langchain_asi_one.agents import AgentChat
    AgentChat(seed="a text that nobody else has")
    after = look()
    assert {name: after[name] for name in before} == before
    assert not [name for name, (level, handlers, _) in after.items() if name not in before
                and (level or handlers)], after
    assert os.listdir() == files, "it wrote a file"
    bad = ("utils", "storage", "logger", "events", "contrib")
    assert not [m for m in sys.modules if m.startswith(tuple(f"uagents_core.{b}" for b in bad))]
    print("ok")
"""

WITHOUT = (
    "uagents_core | langchain_asi_one.agents needs uagents_core, which is not installed; "
    "run: pip install uagents-core httpx"
)


def test_nothing_but_the_extra_is_imported_and_nothing_is_changed(tmp_path: Path) -> None:
    done = OtherProcess(textwrap.dedent(PROGRAM), environ=os.environ, folder=tmp_path).finish()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [WITHOUT, "ok"]
    assert [*tmp_path.iterdir()] == []
