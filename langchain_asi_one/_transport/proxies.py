"""The proxy that the environment names for an address."""

from __future__ import annotations

import os
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


class Proxy(NamedTuple):
    """A proxy, and the environment variable that names it."""

    url: str
    variable: str

    def __str__(self) -> str:
        """Return the proxy without credentials, and its variable."""
        scheme, mark, rest = self.url.rpartition("://")
        return f"{scheme}{mark}{rest.rpartition('@')[2]} ({self.variable})"

    def __repr__(self) -> str:
        return f"Proxy({self})"


def find_proxy(url: str) -> Proxy | None:
    """Return the proxy for an address, as the environment names it now.

    It is `None` if there is none, also by `NO_PROXY`.
    """
    parts = urlsplit(url)
    proxies = getproxies()
    for scheme in (parts.scheme, "all"):
        if (proxy := proxies.get(scheme)) and not proxy_bypass(parts.netloc):
            names = (f"{scheme}_proxy", f"{scheme}_proxy".upper())
            variable = next((name for name in names if name in os.environ), "system settings")
            return Proxy(proxy if "://" in proxy else f"http://{proxy}", variable)
    return None
