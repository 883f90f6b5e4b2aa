"""Which web pages may speak to this gateway: a browser sends its user's network along with any page's script."""

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit


def allowed(origin: str | None, host: str, extra: Collection[str]) -> bool:
    """Whether a request with this `Origin` and `Host` may pass. Clients that are no browser send no origin.

    A page of the gateway itself passes where its host is an address or localhost; any other name could be made to
    point here (DNS rebinding) and must be listed in `extra`, as `https://chat.example.org` or `*` for all.
    """
    if origin is None or "*" in extra or origin in extra:
        return True
    try:
        asked = urlsplit(origin)
        return asked.netloc == host and _cannot_be_rebound(asked.hostname or "")
    except ValueError:
        return False


def _cannot_be_rebound(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
