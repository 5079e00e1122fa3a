"""The facts about the models, and the places that repeat them."""

from __future__ import annotations

import re
from pathlib import Path

from langchain_asi_one._model_profiles import PROFILES, SUCCESSORS

PAGE = Path(__file__).parents[2] / "docs" / "wire-format.md"


def test_the_wire_format_has_the_same_facts() -> None:
    names, sizes, images = (
        re.findall(r"\| ([^|]+) (?=\|)", line)
        for title in ("| | `", "| context, tokens", "| images in")
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith(title)
    )
    facts = zip(names, sizes[1:], images[1:], strict=True)
    assert {
        name.strip("`"): (int(size.replace(",", "")), image == "yes") for name, size, image in facts
    } == {
        name: (profile["max_input_tokens"], profile["image_inputs"])
        for name, profile in PROFILES.items()
    }


def test_a_retired_model_leads_to_one_that_is_served() -> None:
    assert {*SUCCESSORS.values()} <= {*PROFILES}
    assert SUCCESSORS.keys().isdisjoint(PROFILES)
