"""Names and addresses out of the pieces that a token classifier has labelled."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from services.safety.domain.findings import Finding

_NAME: Final = frozenset({"GIVEN_NAME", "SURNAME"})
_ADDRESS: Final = frozenset({"BUILDING_NUMBER", "STREET_NAME", "SECONDARY_ADDRESS", "CITY", "STATE", "ZIP_CODE"})
# A postal code that stands alone has to look like one.
_LEAST_CODE: Final = 5
# Below, a name is as often none.
_SURE: Final = 0.5
_WITHIN_NAME: Final = re.compile(r"[\s.'\u2019\-]{0,3}(?:(?:[A-Z]\.|de|da|von|van|der|bin|al)\s)?")
# Up to two words between the parts of an address: the suite, the state, "in".
_WITHIN_ADDRESS: Final = re.compile(r"[\s,.#/\-]{0,4}(?:(?!\d{3,}\b.{0,9}[.!?])[\w#.'-]{1,12}[\s,.#]{1,3}){0,2}")
# A number before a street and a state with its postal code belong to the address, whatever the classifier says.
_NUMBER_BEFORE: Final = re.compile(r"(?<![\w.,/-])\d{1,5}[A-Za-z]? \Z")
_CODE_AFTER: Final = re.compile(r",? ?[A-Z]{2} \d{5}(?:-\d{4})?(?!\w)")


@dataclass(frozen=True, slots=True)
class Piece:
    """A token with its label, such as `B-GIVEN_NAME`."""

    start: int
    end: int
    label: str
    score: float

    @property
    def kind(self) -> str:
        """The label without its place in the entity."""
        return self.label.partition("-")[2]


def people(text: str, pieces: Sequence[Piece]) -> Iterator[Finding]:
    """Names: given name and surname together are one."""
    for run in _runs(text, [piece for piece in pieces if piece.kind in _NAME], _WITHIN_NAME.fullmatch):
        found = _spanned(text, run, "PERSON")
        if found.score >= _SURE and text[found.start : found.end][:1].isalpha():
            yield found


def addresses(text: str, pieces: Sequence[Piece]) -> Iterator[Finding]:
    """Addresses: all that belongs to one is one."""
    for run in _runs(text, [piece for piece in pieces if piece.kind in _ADDRESS], _WITHIN_ADDRESS.fullmatch):
        found = _spanned(text, run, "ADDRESS")
        if found.score >= _SURE and _is_telling(run):
            number = _NUMBER_BEFORE.search(text, max(0, found.start - 8), found.start)
            code = _CODE_AFTER.match(text, found.end)
            start, end = (number.start() if number else found.start), (code.end() if code else found.end)
            yield Finding(start, end, "ADDRESS", found.score)


def _is_telling(run: Sequence[Piece]) -> bool:
    """A street, or a postal code: a city or a state alone is where anybody lives."""
    kinds = {piece.kind for piece in run}
    return "STREET_NAME" in kinds or ("ZIP_CODE" in kinds and run[-1].end - run[0].start >= _LEAST_CODE)


def _runs(text: str, pieces: Sequence[Piece], joins: Callable[[str], object]) -> Iterator[list[Piece]]:
    run: list[Piece] = []
    for piece in pieces:
        if run and not joins(text[run[-1].end : piece.start]):
            yield run
            run = []
        run.append(piece)
    if run:
        yield run


def _spanned(text: str, run: Sequence[Piece], kind: str) -> Finding:
    """From the first piece to the last, to the ends of the words: a tokenizer cuts inside of them."""
    start, end = run[0].start, run[-1].end
    while start > 0 and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum():
        end += 1
    return Finding(start, end, kind, max(piece.score for piece in run))
