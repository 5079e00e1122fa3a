"""Untrusted Markdown, read without HTML."""

from __future__ import annotations

import subprocess
import sys

import pytest
from langchain_core.messages import AIMessage

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
        ("# a\n###### b", "<h5>a</h5>\n<h6>b</h6>\n"),
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


def test_a_very_long_answer_is_shown_as_it_is() -> None:
    html = card(AIMessage("**a** " * 40_000))._repr_html_()
    assert "<strong>" not in html
    assert html.count("**a**") == 40_000
