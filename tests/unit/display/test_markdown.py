"""Untrusted Markdown, read without HTML."""

from __future__ import annotations

import io
import subprocess
import sys
import time

import pytest
from langchain_core.messages import AIMessage
from rich.console import Console

from langchain_asi_one.display import card
from langchain_asi_one.display._markdown import is_linkable, render_markdown


@pytest.mark.parametrize(
    ("address", "linked"),
    [
        ("https://example.com", True),
        ("HTTP://example.com/a?b#c", True),
        ("mailto:a@example.com", True),
        ("javascript:alert(1)", False),
        (" https://example.com", False),
        ("https:example.com", False),
        ("//example.com", False),
        ("/relative", False),
        ("data:text/html,x", False),
        ("ftp://example.com", False),
        ("https://good.example@127.0.0.1/", False),
        ("https://good.example%40x:y@evil.example", False),
        ("https://good.example\\@evil.example", False),
        ("https://example.com/@somebody?a=b@c", True),
    ],
)
def test_which_addresses_become_links(address: str, linked: bool) -> None:
    assert is_linkable(address) is linked


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        (
            "[a](https://b.example 'c')",
            (
                '<p><a href="https://b.example" rel="noopener noreferrer" target="_blank">a</a> '
                "(https://b.example, c)</p>\n"
            ),
        ),
        (
            "<https://b.example>",
            (
                '<p><a href="https://b.example" rel="noopener noreferrer" target="_blank">'
                "https://b.example</a></p>\n"
            ),
        ),
        (
            "[a](https://xn--e1awd7f.example)[b](https://\u0435xample.example)",
            (
                '<p><a href="https://xn--e1awd7f.example" rel="noopener noreferrer"'
                ' target="_blank">a</a> (https://xn--e1awd7f.example)'
                '<a href="https://xn--xample-2of.example" rel="noopener noreferrer"'
                ' target="_blank">b</a> (https://xn--xample-2of.example)</p>\n'
            ),
        ),
        ("[a](javascript:x)", "<p>[a](javascript:x)</p>\n"),
        ("![a](https://b.example/c.png)", "<p>[image: a, https://b.example/c.png]</p>\n"),
        ("![](https://b.example)", "<p>[image: https://b.example]</p>\n"),
        ("<b>&#x202e;", r"<p>&lt;b&gt;\u202e</p>" + "\n"),
        ("```js onclick\n<b>\n```", "<pre><code>&lt;b&gt;\n</code></pre>\n"),
        ("# a\n###### b", '<h5 class="asi1-h1">a</h5>\n<h6 class="asi1-h6">b</h6>\n'),
        ("- [ ] a\n- [x] b", "<ul>\n<li>☐ a</li>\n<li>☑ b</li>\n</ul>\n"),
        ("3. a", '<ol start="3">\n<li>a</li>\n</ol>\n'),
    ],
)
def test_markdown(markdown: str, html: str) -> None:
    assert render_markdown(markdown) == html


def test_without_markdown_it_the_answer_is_shown_as_it_was_written() -> None:
    code = (
        "import sys; sys.modules['markdown_it'] = None;"
        "from langchain_asi_one.display import card; from langchain_core.messages import AIMessage;"
        "print(card(AIMessage('**a** <b>'))._repr_html_())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert '<div class="asi1-prose" dir="auto">**a** &lt;b&gt;</div>' in done.stdout


@pytest.mark.parametrize("text", ["**a** " * 40_000, "[" * 25_001])
def test_a_very_long_answer_is_shown_as_it_is(text: str) -> None:
    html = card(AIMessage(text))._repr_html_()
    assert "<strong>" not in html
    assert "Too long to lay out: shown as it was written.</div>" in html
    assert text.strip() in html


def test_a_long_answer_of_prose_is_laid_out() -> None:
    html = card(AIMessage("# One\n\n" + "lorem ipsum, dolor (sit). " * 7_000))._repr_html_()
    assert '<h5 class="asi1-h1">One</h5>' in html


@pytest.mark.parametrize(
    "part",
    ["[", "![", "_a*b", "|a" * 50 + "\n" + "|-" * 50 + "\n", "# a\n", "a\n", "> ", "`a ``b "],
)
def test_no_text_takes_long(part: str) -> None:
    text = (part * (100_000 // len(part)))[:100_000]
    start = time.process_time()
    for one in (text, text[:24_000]):
        card(AIMessage(one))._repr_html_()
        Console(file=io.StringIO(), force_terminal=True, width=80).print(card(AIMessage(one)))
    assert time.process_time() - start < 15  # 3 s were taken once for one of these
