"""Phone numbers, by the numbering plans that libphonenumber knows.

Its own search joins a number with whatever digits follow and then finds none, and it tries every row of digits: here a
candidate is whole groups of digits in a form that people write, the longest first.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from phonenumbers import Leniency, NumberParseException, PhoneNumberMatcher, is_valid_number, parse

from services.safety.domain.findings import Finding, Recogniser

_GROUP: Final = re.compile(r"\d+")
_GAP: Final = re.compile(r"[\s().\-/\u2010-\u2015\u00a0]{1,3}")
_LEAD: Final = re.compile(r"(?:\+ ?\(?|\()\Z")
# A number that stands among these is an amount, a version, a product code or a calculation rather than a phone.
_CODE_BEFORE: Final = re.compile(
    r"(?:[\w#$€£%=*/.,\-_]|(?i:\b(?:version|v|no|nr|id|order|isbn|sku|ticket|ref|build)[.:]?\s*))\Z"
)
_CODE_AFTER: Final = re.compile(r"[\w%$€£*/=]|[.,]\d|-\w|\s?(?:km|kg|mm|cm|ms|mb|gb|usd|eur)\b", re.IGNORECASE)
_LOOK_BACK: Final = 12
_MIN_DIGITS, _MAX_DIGITS = 9, 15
_NATIONAL_DIGITS: Final = (10, 11)
_NORTH_AMERICAN: Final = ([3, 3, 4], [1, 3, 3, 4])
# Each check takes milliseconds: a text with more rows of digits than this is a table, and must not hold up the others.
_MOST_CHECKS: Final = 200


def phones(regions: tuple[str, ...]) -> Recogniser:
    """Numbers with a country code, and the national ones of these regions where they are written in their grouping."""

    def find(text: str) -> Iterator[Finding]:
        groups = list(_GROUP.finditer(text))
        taken = checks = 0
        for first, group in enumerate(groups):
            if group.start() < taken:
                continue
            lead = _LEAD.search(text, max(0, group.start() - 3), group.start())
            start = lead.start() if lead else group.start()
            if _CODE_BEFORE.search(text, max(0, start - _LOOK_BACK), start):
                continue
            for last in _ends(text, groups, first):
                end = groups[last].end()
                checks += 1
                if checks > _MOST_CHECKS:
                    return
                if not _CODE_AFTER.match(text, end) and _is_phone(text[start:end], groups[first : last + 1], regions):
                    taken = end
                    yield Finding(start, end, "PHONE", 0.8)
                    break

    return find


def _ends(text: str, groups: Sequence[re.Match[str]], first: int) -> list[int]:
    """The groups with which a number may end that begins with this one, the farthest first."""
    ends: list[int] = []
    digits = 0
    for last in range(first, len(groups)):
        joined = last == first or _GAP.fullmatch(text, groups[last - 1].end(), groups[last].start())
        digits += len(groups[last].group())
        if not joined or digits > _MAX_DIGITS:
            break
        if digits >= _MIN_DIGITS:
            ends.append(last)
    return ends[::-1]


def _is_phone(written: str, groups: Sequence[re.Match[str]], regions: tuple[str, ...]) -> bool:
    if written.startswith(("+", "(+")) or groups[0].group().startswith("00"):
        return _is_international(written)
    lengths = [len(group.group()) for group in groups]
    usual = written.startswith(("(", "0")) or lengths in _NORTH_AMERICAN
    if len(groups) == 1 or not usual or sum(lengths) not in _NATIONAL_DIGITS:
        return False
    return any(next(iter(PhoneNumberMatcher(written, region, Leniency.STRICT_GROUPING)), None) for region in regions)


def _is_international(written: str) -> bool:
    try:
        return is_valid_number(parse("+" + written.lstrip("(+0 ")))
    except NumberParseException:
        return False
