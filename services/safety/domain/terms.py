"""Forbidden words and phrases: whole, whatever their case and the white space between them."""

import re
from collections.abc import Iterator
from functools import lru_cache

from services.safety.domain.findings import Finding


def occurrences(text: str, terms: tuple[str, ...]) -> Iterator[Finding]:
    """Every place where one of the terms stands."""
    for match in _form(terms).finditer(text):
        yield Finding(match.start(), match.end(), "TERM")


def begun(text: str, terms: tuple[str, ...]) -> int | None:
    """Where a term of several words begins that has its last words still to come."""
    match = _beginning(terms).search(text)
    return match.start() if match else None


@lru_cache(maxsize=64)
def _form(terms: tuple[str, ...]) -> re.Pattern[str]:
    phrases = (r"\s+".join(map(re.escape, term.split())) for term in sorted(terms, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{'|'.join(phrases)})(?!\w)", re.IGNORECASE)


@lru_cache(maxsize=64)
def _beginning(terms: tuple[str, ...]) -> re.Pattern[str]:
    begins = {
        r"\s+".join(map(re.escape, words[:count]))
        for words in (term.split() for term in terms)
        for count in range(1, len(words))
    }
    phrases = "|".join(sorted(begins, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{phrases})\s+\Z" if begins else r"(?!)", re.IGNORECASE)
