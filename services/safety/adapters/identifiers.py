"""Recognisers of identification numbers: the forms of the domain's table, the checks of python-stdnum."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from typing import Final

from services.safety.domain import check_digits
from services.safety.domain.findings import Finding, Recogniser
from services.safety.domain.identifiers import IDENTIFIERS, Identifier

# How far a word may stand before the number that it names, and after it ("943 476 5919 is my NHS number").
_BEFORE: Final = 60
_AFTER: Final = 30
# A part of a longer number, of a decimal or of a path is no identifier.
_ALONE_BEFORE: Final = r"(?<![\w@$€£%])(?<!\d[.,/+=])(?<!\w-)"
_ALONE_AFTER: Final = r"(?![\w@%])(?![.,/+=\-]\w)"
_BLANKS: Final = re.compile(r"[\s./\u00a0\u2010-\u2015\-]")
# With a check digit and its name beside it, as sure as a form that speaks for itself; without a check, less.
_CHECKED, _FORM_ALONE = 0.95, 0.7

_Row = tuple[Identifier, re.Pattern[str], Callable[[str], bool] | None, re.Pattern[str] | None]


def identifiers(kind: str) -> Recogniser:
    """Finds every number of this kind."""
    rows = _rows(kind)

    def find(text: str) -> Iterator[Finding]:
        # One number may have two forms of its kind.
        taken: set[tuple[int, int]] = set()
        for identifier, form, check, near in rows:
            if near and not near.search(text):
                continue
            for match in form.finditer(text):
                if near and not _named(near, text, match.start(), match.end()):
                    continue
                if match.span() not in taken and (check is None or check(match.group())):
                    taken.add(match.span())
                    score = _CHECKED if check else _FORM_ALONE
                    yield Finding(match.start(), match.end(), identifier.kind, score)

    return find


@cache
def _rows(kind: str) -> tuple[_Row, ...]:
    return tuple(
        (
            identifier,
            re.compile(f"{_ALONE_BEFORE}(?:{identifier.form}){_ALONE_AFTER}"),
            _check(identifier.check),
            _words(identifier.near),
        )
        for identifier in IDENTIFIERS
        if identifier.kind == kind
    )


def _check(name: str) -> Callable[[str], bool] | None:
    if not name:
        return None
    if own := check_digits.OWN.get(name):
        return lambda written: own(_BLANKS.sub("", written).upper())
    valid: Callable[[str], bool] = import_module(f"stdnum.{name}").is_valid
    return valid


def _words(near: str) -> re.Pattern[str] | None:
    if not near:
        return None
    words = "|".join(re.escape(word) for word in near.split(", "))
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)


def _named(near: re.Pattern[str], text: str, start: int, end: int) -> bool:
    return bool(near.search(text, max(0, start - _BEFORE), start) or near.search(text, end, end + _AFTER))
