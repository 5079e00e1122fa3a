"""Hostile text in a real browser: nothing runs, nothing is fetched, nothing leaves its place."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from typing import Any, Final

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.graph.state import CompiledStateGraph
from selenium.common.exceptions import NoAlertPresentException
from selenium.webdriver import Chrome

from langchain_asi_one import ChatASIOne
from langchain_asi_one.display import card
from langchain_asi_one.display._card import Card
from langchain_asi_one.display._live import LiveCard
from langchain_asi_one.langgraph import create_asi_one_graph
from langchain_asi_one.testing._agents import FLIGHT_AGENT, WEATHER_AGENT
from tests.support.browser.chromium import Trap, running_chromium, running_trap
from tests.support.browser.payloads import ACTIVE, PAYLOADS
from tests.support.patience import eventually

# The cards of as many texts run the same lines; the time is the browser's.
pytestmark = pytest.mark.no_cover
ELEMENTS: Final = (
    " a b bdi blockquote br code dd del details div dl dt em g h4 h5 h6 hr i li ol p path pre rect "
    "s section span strong style summary svg table tbody td text th thead title tr ul "
)
ATTRIBUTES: Final = (
    " aria-label class d dir dy fill font-family font-size height href open rel role rx start "
    "stroke stroke-dasharray stroke-width style tabindex target text-anchor viewBox width x y "
)

PROVOKE: Final = """
for (const one of document.querySelectorAll('details')) one.open = true;
for (const one of document.querySelectorAll('main *'))
  for (const kind of ['mouseover', 'mouseenter', 'focus', 'click', 'toggle', 'animationstart'])
    if (!one.closest('a') || kind !== 'click')
      one.dispatchEvent(new Event(kind, {bubbles: true}));
"""

# As notebooks do: HTML is put into the page, and its scripts are made again so that they run.
INSERT: Final = """
const host = document.querySelector('main');
const html = host.innerHTML;
host.innerHTML = html;
for (const old of host.querySelectorAll('script')) {
  const made = document.createElement('script');
  for (const {name, value} of old.attributes) made.setAttribute(name, value);
  made.textContent = old.textContent;
  old.replaceWith(made);
}
"""

LOOK: Final = """
await new Promise(done => setTimeout(done, 40));
const all = [...document.querySelectorAll('main *')];
return {
  ran: window.ran || 0,
  elements: [...new Set(all.map(one => one.localName))],
  attributes: [...new Set(all.flatMap(one => one.getAttributeNames()))],
  styles: [...new Set(all.map(one => one.getAttribute('style')).filter(Boolean))],
  classes: [...new Set(all.flatMap(one => [...one.classList]))],
  links: [...document.querySelectorAll('main a')].map(one => [one.href, one.rel,
    one.closest('p, td, th, li, h5, h6, div').textContent]),
  sheets: document.styleSheets.length,
  title: document.title,
  text: document.querySelector('main').textContent,
};
"""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with running_chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def _trap() -> Iterator[Trap]:
    with running_trap() as trap:
        yield trap


@pytest.fixture
def trap(_trap: Trap) -> Trap:
    _trap.asked.clear()
    return _trap


Graph = CompiledStateGraph[Any, Any, Any, Any]


@pytest.fixture
def graph(model: ChatASIOne) -> Graph:
    return create_asi_one_graph(model, allow="any", worker=lambda task: "")


def hostile_message(text: str) -> AIMessage:
    fields = {"name": text, "description": text, "rating": 4.5}
    agents = [
        {**fields, "address": WEATHER_AGENT["address"], "handle": "weather"},
        {**fields, "address": text, "handle": text, text: text},
        {"tool": text, "args": {text: text}, "id": text},
        {text: text},
        text,
    ]
    return AIMessage(
        text,
        additional_kwargs={
            "thought": text,
            "intermediate_steps": [{"action": text, text: text}, text, {"status": text}] * 2,
            "executable_data": agents,
            "server_tool_calls": [{"id": text, "tool_name": text, "args": {text: text}}],
            "plan_state": {
                "status": text,
                text: text,
                "tasks": [
                    {"task": text, "status": text, "agent_used": {"agent_name": text}, text: text},
                    {"agent_used": {"agent_address": text, "agent_handle": text}, "error": text},
                    text,
                ],
            },
            "refusal": text,
        },
        tool_calls=[{"name": text, "args": {text: text}, "id": text}],
        invalid_tool_calls=[
            {"type": "invalid_tool_call", "name": text, "args": text, "id": text, "error": text}
        ],
        response_metadata={
            "model_name": text,
            "session_id": text,
            "finish_reason": text,
            "model_provider": text,
        },
    )


class Kept:
    """Holds the last card."""

    def __init__(self) -> None:
        self.card = Card(())

    def update(self, card: Card) -> None:
        self.card = card

    finish = update


def pictures_of(text: str) -> list[ToolMessage]:
    """Results of tools that hold the text where a picture is expected."""
    blocks: list[Any] = [
        {"type": "image", "url": text},
        {"type": "image", "base64": text, "mime_type": text},
        {"type": "image_url", "image_url": {"url": f"data:{text};base64,{text}"}},
        {"type": "image", "base64": b64encode(text.encode()).decode(), "mime_type": "image/png"},
    ]
    return [
        ToolMessage(text, name=text, tool_call_id=text, artifact=artifact)
        for artifact in (*blocks, {**blocks[0], "extras": {"further_images": blocks}})
    ]


def cards_of(text: str, graph: Graph) -> list[Card]:
    message = hostile_message(text)
    results = [
        {"agent": WEATHER_AGENT["address"], "result": {text: text}, "tool": text, "id": text},
        {"agent": FLIGHT_AGENT["address"], "error": text},
    ]
    state = {
        "messages": [HumanMessage(text), message, *pictures_of(text)],
        "executable_data": [FLIGHT_AGENT],
        "agent_results": results,
    }
    growing = Kept()
    LiveCard(growing).add(message)
    return [card(state), card(graph, state), growing.card]


def page_of(inner: str) -> str:
    return (
        '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>page</title>'
        f"<main>{inner}</main>"
    )


def seen(chromium: Chrome, trap: Trap, inner: str) -> dict[str, Any]:
    """Load a page, do what users and notebooks do to it, and look at it."""
    trap.page = page_of(inner)
    chromium.get(trap.address)
    chromium.execute_script(PROVOKE)
    chromium.execute_script(INSERT)
    chromium.execute_script(PROVOKE)
    # `execute_async_script` would take the promise's place.
    look = f"return (async () => {{ {LOOK} }})();"
    found: dict[str, Any] = chromium.execute_script(look)
    return found


def has_dialog(chromium: Chrome) -> bool:
    try:
        chromium.switch_to.alert.accept()
    except NoAlertPresentException:
        return False
    return True


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_runs_and_nothing_is_fetched(
    chromium: Chrome, trap: Trap, graph: Graph, payload: str
) -> None:
    text = payload.replace("TRAP", trap.address)
    cards = cards_of(text, graph)
    found = seen(chromium, trap, "".join(one._repr_html_() for one in cards))
    assert (trap.asked, found["ran"], has_dialog(chromium)) == ([], 0, False)
    assert chromium.current_url == f"{trap.address}/"
    assert [name for name in found["elements"] if f" {name} " not in ELEMENTS] == []
    assert [name for name in found["attributes"] if f" {name} " not in ATTRIBUTES] == []
    assert [style for style in found["styles"] if not style.startswith("text-align:")] == []
    kinds = ("asi1", "mathjax_ignore", "tex2jax_ignore")
    assert [kind for kind in found["classes"] if not kind.startswith(kinds)] == []
    assert (found["sheets"], found["title"]) == (len(cards), "page")
    for target, rel, around in found["links"]:
        assert target.startswith((trap.address, "http://", "https://", "mailto:"))
        assert (rel, target in around) == ("noopener noreferrer", True)
    assert re.findall("[\\x00-\\x08\\x0b-\\x1f\u202a-\u202e\u2066-\u2069]", found["text"]) == []


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_of_it_is_in_the_diagram(graph: Graph, payload: str) -> None:
    mermaid = cards_of(payload, graph)[1]._repr_mimebundle_()["text/vnd.mermaid"]
    own = card(graph)._repr_mimebundle_()["text/vnd.mermaid"]
    assert mermaid.startswith(own.rstrip("\n"))
    added = mermaid[len(own.rstrip("\n")) :].strip("\n").splitlines()
    safe = (
        r'\tasi_one_agent_\d\["[✓!✕…○] [a-z]+: @[A-Za-z0-9._-]+ agent1[a-z0-9]{59}"\]'
        r":::asi1[A-Z][a-z]+"
        r"|\task_agent -\.- asi_one_agent_\d;|\tclassDef asi1[A-Z][a-z]+ [a-z0-9#:,-]+"
    )
    assert [line for line in added if not re.fullmatch(safe, line)] == []
    assert len(added) == 6  # of each agent its node and its way, and two styles


@pytest.mark.parametrize("payload", ACTIVE)
def test_the_trap_springs(chromium: Chrome, trap: Trap, payload: str) -> None:
    """Shown as HTML, each of these does what the tests above look for."""
    trap.page = page_of(f"<p>{payload.replace('TRAP', trap.address)}")
    chromium.get(trap.address)
    dialog = has_dialog(chromium)
    chromium.execute_script(PROVOKE)
    assert eventually(
        lambda: bool(dialog or trap.asked or chromium.execute_script("return window.ran || 0"))
    )


def test_it_can_be_read_without_eyes_and_used_without_a_mouse(
    chromium: Chrome, trap: Trap, graph: Graph
) -> None:
    cards = cards_of("Harmless, see [docs](https://docs.example.com).", graph)
    seen(chromium, trap, cards[0]._repr_html_())
    tree = chromium.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    known = {(node["role"]["value"], node.get("name", {}).get("value", "")) for node in tree}
    assert ("region", "Answer of the model") in known
    assert ("heading", "Steps") in known
    assert ("image", "rating 4.5") in known
    assert {"list", "listitem", "DisclosureTriangle"} <= {role for role, _ in known}
    summaries = chromium.find_elements("css selector", "main summary")
    thought = summaries[0]
    assert thought.text.startswith("Thought (")
    chromium.execute_script("arguments[0].focus()", thought)
    is_open = "return arguments[0].parentElement.open"
    before = chromium.execute_script(is_open, thought)
    thought.send_keys(" ")
    assert chromium.execute_script(is_open, thought) is not before
    style = "return getComputedStyle(arguments[0]).outlineStyle"
    assert chromium.execute_script(style, thought) == "solid"


# JupyterLab's own rules for outputs, as far as they have got in the way.
LAB: Final = """<style>
.jp-RenderedHTMLCommon dl dt { float: left; width: 20%; display: block; font-weight: bold;
  clear: left; padding-right: 8px; }
.jp-RenderedHTMLCommon dl dd { margin-left: 20%; }
.jp-RenderedHTMLCommon ul:not(.list-inline), .jp-RenderedHTMLCommon ol:not(.list-inline) {
  padding-left: 2em; }
</style>"""


def test_the_rules_of_a_notebook_do_not_tear_it_apart(
    chromium: Chrome, trap: Trap, graph: Graph
) -> None:
    html = cards_of("x", graph)[0]._repr_html_()
    seen(chromium, trap, f'{LAB}<div class="jp-RenderedHTMLCommon">{html}</div>')
    look = """return [...document.querySelectorAll(arguments[0])].map(one =>
      [getComputedStyle(one).float, one.offsetHeight < 30, one.offsetLeft])"""
    labels = chromium.execute_script(look, "main .asi1-about dt")
    assert [label[:2] for label in labels] == [["none", True]] * 3
    padding = "return getComputedStyle(document.querySelector(arguments[0])).paddingLeft"
    assert chromium.execute_script(padding, "main .asi1-agents") == "0px"


CONTRAST: Final = """
const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
  .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
const parts = color => color.match(/[\\d.]+/g).map(Number);
const behind = one => {
  for (; one; one = one.parentElement) {
    const [r, g, b, a = 1] = parts(getComputedStyle(one).backgroundColor);
    if (a > 0) return [r, g, b];
  }
  return [255, 255, 255];
};
return [...document.querySelectorAll('main .asi1 *')]
  .filter(one => [...one.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
  .filter(one => !one.closest('style, svg'))
  .map(one => {
    const [a, b] = [light(parts(getComputedStyle(one).color)), light(behind(one))];
    return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), one.outerHTML.slice(0, 80)];
  }).sort((a, b) => a[0] - b[0])[0];
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1000])
def test_it_is_readable_in_light_and_dark_narrow_and_wide(
    chromium: Chrome, trap: Trap, graph: Graph, scheme: str, width: int
) -> None:
    cards = cards_of("# A\n\n`code` [docs](https://docs.example.com/" + "x" * 200 + ")", graph)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        seen(chromium, trap, "".join(one._repr_html_() for one in cards))
        ratio, where = chromium.execute_script(CONTRAST)
        assert ratio >= 4.5, where  # WCAG 2.2, 1.4.3
        wide = chromium.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width  # WCAG 2.2, 1.4.10: nothing is read by scrolling sideways
    finally:
        chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
