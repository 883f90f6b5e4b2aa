"""Addresses in an answer that nobody gave to the model: it may have made them up."""

import re
from collections.abc import Iterable
from typing import Final

_ADDRESS: Final = re.compile(r"\b(?:https?://|www\.)[^\s<>\"'`)\]}|]+", re.IGNORECASE)
_BEHIND: Final = ".,;:!?*_"


def unknown(text: str, given: Iterable[str]) -> tuple[str, ...]:
    """The addresses in `text` that stand nowhere in what was given, each once, in their order."""
    known = " ".join(_plain(each) for each in given)
    found = dict.fromkeys(address.group().rstrip(_BEHIND) for address in _ADDRESS.finditer(text))
    return tuple(address for address in found if _plain(address) not in known)


def _plain(text: str) -> str:
    """Without what changes nothing about where an address leads."""
    return re.sub(r"https?://(?:www\.)?|\bwww\.", "", text.lower()).rstrip("/")
