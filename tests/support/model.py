"""What the tests of the model share: its key, and the type of the fixture that makes one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from langchain_asi_one import ChatASIOne

API_KEY: Final = "sk_test_0123456789abcdef"

MakeModel = Callable[..., ChatASIOne]
"""Type of the fixture `make_model`."""
