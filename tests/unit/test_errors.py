"""The tree of errors: what its drawing says, and which class and advice a status gets."""

from __future__ import annotations

import pickle
import re

import openai
import pytest
from langchain_core import exceptions as core

from langchain_asi_one import errors
from langchain_asi_one.errors import (
    ASIOneError,
    ASIOneStatusError,
    ErrorInfo,
    find_advice,
    find_status_class,
)

DRAWN = re.findall(
    r"^ +(?:[│├└─ ]*)(\w+Error) +(\w+Error)?(?: +(\w+Error))?", str(errors.__doc__), re.MULTILINE
)


def test_the_drawing_holds_every_class() -> None:
    assert {name for name, *_ in DRAWN} == {n for n in errors.__all__ if n.endswith("Error")}


@pytest.mark.parametrize(("name", "first", "second"), DRAWN, ids=[name for name, *_ in DRAWN])
def test_a_class_is_what_the_drawing_says(name: str, first: str, second: str) -> None:
    kind = getattr(errors, name)
    assert issubclass(kind, (ASIOneError, openai.APIError))
    for base in filter(None, (first, second)):
        assert issubclass(kind, getattr(openai, base, None) or getattr(core, base))


@pytest.mark.parametrize(
    ("status", "kind", "advice"),
    [
        (302, ASIOneStatusError, "arguments"),
        (400, errors.ASIOneBadRequestError, "arguments"),
        (401, errors.ASIOneAuthenticationError, "key in ASI_ONE_API_KEY"),
        (402, ASIOneStatusError, "balance"),
        (403, errors.ASIOnePermissionDeniedError, "may use"),
        (404, errors.ASIOneNotFoundError, "base_url and the model name"),
        (413, errors.ASIOneContextOverflowError, "Shorten the messages"),
        (418, ASIOneStatusError, "arguments"),
        (422, errors.ASIOneUnprocessableError, "missing field or header"),
        (429, errors.ASIOneRateLimitError, "max_retries= does so"),
        (500, errors.ASIOneServerError, "server's side"),
        (503, errors.ASIOneServerError, "server's side"),
        (999, errors.ASIOneServerError, "server's side"),
    ],
)
def test_a_status_has_a_class_and_advice(
    status: int, kind: type[ASIOneStatusError], advice: str
) -> None:
    assert find_status_class(status) is kind
    assert advice in find_advice(kind, status)


@pytest.mark.parametrize("name", [n for n in errors.__all__ if n.endswith("Error")])
def test_an_error_survives_its_pickle(name: str) -> None:
    info = ErrorInfo(
        url="https://api.example/v1", status_code=400, code="c", param="p", type="t",
        model="asi1", session_id="s", may_have_acted=True,
    )  # fmt: skip
    error = getattr(errors, name)("what happened", info).with_partial(text="Hel", thought="Hm")
    twin = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own pickle
    assert (type(twin), str(twin), twin.info) == (type(error), "what happened", error.info)
    assert (twin.code, twin.param, twin.type, twin.status_code) == ("c", "p", "t", 400)
    assert (twin.model, twin.session_id, twin.is_retryable) == ("asi1", "s", False)
    assert (twin.partial_text, twin.partial_thought) == ("Hel", "Hm")
