"""The key and the address in the environment, and which go together."""

from __future__ import annotations

import os
from typing import Final, NamedTuple

from pydantic import SecretStr

from langchain_asi_one._validators import check_api_key, check_base_url, warn_caller

API_KEY_VARIABLE: Final = "ASI_ONE_API_KEY"
BASE_URL_VARIABLE: Final = "ASI_ONE_BASE_URL"
DEFAULT_BASE_URL: Final = "https://api.asi1.ai/v1"

# The pairs in their order. Agentverse sets the second in each agent that it hosts; its address may
# be that of a gateway, and is for the key beside it only.
_PAIRS: Final = (
    (API_KEY_VARIABLE, BASE_URL_VARIABLE),
    ("ASI1_API_KEY", "ASI1_BASE_URL"),
)
# Seen as names of the key in other programs. Never read: elsewhere they are keys of other services.
_NOT_READ: Final = ("ASI_API_KEY", "ASIONE_API_KEY")


class Environment(NamedTuple):
    """Key and address in the environment, named as the model's fields.

    Attributes:
        key_variable: Where the key is read from.
        openai_api_key: The key; `None` if there is none.
        openai_api_base: Where the API is.
    """

    key_variable: str
    openai_api_key: SecretStr | None
    openai_api_base: str


def read_environment(*, given_key: bool = False) -> Environment:
    """Read the first key that is set, and its address.

    With `given_key` there is a key already, and the address is that of the first pair. Empty
    variables and blank ones count as not set.

    Raises:
        ValueError: If a value cannot be used; it names the variable.
    """
    pairs = _PAIRS[:1] if given_key else _PAIRS
    pair = next((one for one in pairs if _read(one[0])), _PAIRS[0])
    if pair != _PAIRS[0] and _read(BASE_URL_VARIABLE):
        msg = (
            f"{BASE_URL_VARIABLE} is not used, as the key is that of {pair[0]}: an address goes "
            f"with the key of its own pair. Set {API_KEY_VARIABLE} or {pair[1]}."
        )
        warn_caller(msg, UserWarning)
    key_variable, base_url_variable = pair
    api_key = check_api_key(SecretStr(_read(key_variable)), name=key_variable)
    base_url = check_base_url(_read(base_url_variable) or DEFAULT_BASE_URL, name=base_url_variable)
    return Environment(key_variable, api_key, base_url)


def has_api_key() -> bool:
    """Return whether a variable that is read holds a key."""
    return any(_read(key_variable) for key_variable, _ in _PAIRS)


def name_unread_keys() -> str:
    """Return a sentence on variables that are not read; `""` without any.

    They look like the key.
    """
    found = " and ".join(name for name in _NOT_READ if _read(name))
    return f" {found} is not read: it may be the key of another service." if found else ""


def _read(variable: str) -> str:
    return os.environ.get(variable, "").strip()
