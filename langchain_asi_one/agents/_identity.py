"""The identity that asks: its seed, from an argument or the environment."""

from __future__ import annotations

import os
import re
import warnings
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr
from uagents_core.identity import Identity

URI_VARIABLE: Final = "AGENT_URI"
SEED_VARIABLE: Final = "AGENTVERSE_AGENT_SEED"
API_KEY_VARIABLE: Final = "AGENTVERSE_API_KEY"

_SHORTEST: Final = 16  # characters of a seed that is not guessed
_MAKE: Final = "python -c 'import secrets; print(secrets.token_urlsafe(32))'"


class NamedIdentity(NamedTuple):
    """Who asks.

    Attributes:
        identity: Keys and address.
        name: Name on Agentverse, as far as it is known.
    """

    identity: Identity
    name: str | None = None


def read_identity(seed: SecretStr | str | None, agentverse: str) -> NamedIdentity:
    """Make the identity of a seed, given or in the environment.

    Args:
        seed: The seed.
        agentverse: Address of Agentverse, which the agent's URI in the environment must name.

    Raises:
        ValueError: If there is no seed, or the variable of the environment is malformed.
    """
    text, place = _reveal(seed), "seed"
    name = None
    if not text and (uri := os.environ.get(URI_VARIABLE, "").strip()):
        place = URI_VARIABLE
        text, name = _read_uri(uri, agentverse)
    elif not text:
        text, place = os.environ.get(SEED_VARIABLE, "").strip(), SEED_VARIABLE
    if not text:
        msg = (
            f"who asks agents needs an identity of its own, which is made from a seed: set "
            f"{SEED_VARIABLE} to a random text that you keep, such as the output of {_MAKE}, or "
            f"give it as seed=; or set {URI_VARIABLE} to the address that Agentverse shows for "
            "your agent"
        )
        raise ValueError(msg)
    if len(text) < _SHORTEST:
        msg = (
            f"the seed in {place} has fewer than {_SHORTEST} characters: whoever guesses it can "
            f"read the mailbox and answer for you. Make a new one with {_MAKE}"
        )
        warnings.warn(msg, UserWarning, stacklevel=3)
    return NamedIdentity(Identity.from_seed(text, 0), name)


def read_api_key(api_key: SecretStr | str | None) -> SecretStr | None:
    """Return the key of an Agentverse account, if there is one.

    Raises:
        ValueError: If it cannot be sent in a header.
    """
    text = _reveal(api_key) or os.environ.get(API_KEY_VARIABLE, "").strip()
    if not text:
        return None
    if not re.fullmatch(r"[!-~]+", text):
        msg = f"api_key (or {API_KEY_VARIABLE}) holds characters that no key has: copy it again"
        raise ValueError(msg)
    return SecretStr(text)


def _reveal(value: SecretStr | str | None) -> str:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value or ""
    return text.strip()


def _read_uri(uri: str, agentverse: str) -> tuple[str, str | None]:
    """Read seed and name of `https://HANDLE:KEY@agentverse.ai/NAME`; the key is the seed."""
    try:
        parts = urlsplit(uri)
        place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        key = parts.password
    except ValueError:
        place, key = "", None
    if not key:
        msg = (
            f"{URI_VARIABLE} must be like 'https://HANDLE:KEY@agentverse.ai/NAME': copy it again "
            "from the agent's page on Agentverse"
        )
        raise ValueError(msg)
    if place != agentverse:
        msg = f"{URI_VARIABLE} is of {place}, but agentverse is {agentverse}: give both alike"
        raise ValueError(msg)
    name = unquote(parts.path.strip("/").partition("/")[0])
    return key, name or None
