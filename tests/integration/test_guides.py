"""Every Python snippet of the README and the guides runs, in order, as a reader would type it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import pytest

from langchain_asi_one.testing import LocalASIOne

ROOT: Final = Path(__file__).parents[2]
README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES: Final = ["README.md", *sorted(f"docs/guides/{p.name}" for p in ROOT.glob("docs/guides/*"))]
_SNIPPET: Final = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What a reader sees printed; a page that prints nothing of its own is not here.
PRINTED: Final = {
    "README.md": (
        "A stand-in has no model, so a fixed rule answers.\n\nAnswer:\n[local stand-in]",
        "'name': 'get_temperature', 'args': {'city': 'Paris'}",
        "'result': '[local stand-in] You said: \"Which agent knows the weather in Paris?\"",
        "429",
    ),
    "docs/guides/getting-started.md": ("Which agent", "Hello!", "Goodbye!"),
    "docs/guides/streaming.md": (
        "A stand-in has no model, so a fixed rule answers.\n\nAnswer:\n[local stand-in]",
        "total_tokens",
    ),
    "docs/guides/tools.md": (
        "get_temperature {'city': 'Paris'}",
        "21.5",
        "attached it for the user. image/png",
        "name=",
    ),
    "docs/guides/answers.md": ("thought = The user said", "agent Stand-in Weather agent1"),
    "docs/guides/sessions.md": ("Ada", "chat-42"),
    "docs/guides/agents.md": ("was asked: Which agent knows the weather?", "Ask the agent"),
    "docs/guides/follow-up.md": ("[local stand-in]",),
    "docs/guides/display.md": ("Agents named",),
    "docs/guides/testing.md": ("[local stand-in]", "Paris.", "429"),
    "docs/guides/recipes.md": ("0 failed", "['human', 'ai'", "Hello!"),
}


@pytest.mark.parametrize("page", PAGES)
def test_snippets_run(
    page: str,
    server: LocalASIOne,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ASI_ONE_BASE_URL", server.base_url)
    monkeypatch.setenv("ASI_ONE_API_KEY", "sk_guides_0123456789")
    namespace: dict[str, Any] = {}
    printed = ""
    for code in _SNIPPET.findall((ROOT / page).read_text(encoding="utf-8")):
        exec(compile(code, page, "exec"), namespace)  # noqa: S102
        output = capsys.readouterr().out
        assert "sent the message" not in output
        printed += output
    assert [words for words in PRINTED.get(page, ()) if words not in printed] == [], printed


def test_every_guide_is_in_the_site_and_in_the_readme() -> None:
    index = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    for page in PAGES[1:]:
        assert f"\n{page.removeprefix('docs/').removesuffix('.md')}\n" in index
        assert f"({page})" in README


def test_setup_is_two_commands_at_the_top() -> None:
    first_block = re.search(r"```sh\n(.*?)```", README, re.DOTALL)
    assert first_block is not None
    assert [line.split("#")[0].strip() for line in first_block.group(1).splitlines()] == [
        "make demo",
        "make test",
    ]


def test_the_readme_can_be_read_in_a_few_minutes() -> None:
    assert len(re.sub(r"^```.*?^```$", "", README, flags=re.MULTILINE | re.DOTALL).split()) <= 900
