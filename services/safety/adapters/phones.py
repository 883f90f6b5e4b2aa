"""Phone numbers, by the numbering plans that libphonenumber knows."""

import re
from collections.abc import Iterator
from typing import Final

from phonenumbers import Leniency, PhoneNumberMatcher

from services.safety.domain.findings import Finding, Recogniser

_ANY_REGION: Final = "ZZ"
# A number that stands among these is an amount, a version, a product code or a calculation rather than a phone.
_CODE_BEFORE: Final = re.compile(
    r"(?:[\w#$€£%=*/.\-_]|(?i:\b(?:version|v|no|nr|id|order|isbn|sku|ticket|ref|build)[.:]?\s*))\Z"
)
_CODE_AFTER: Final = re.compile(r"[\w%$€£*/=]|\.\d|-\w|\s?(?:km|kg|mm|cm|ms|mb|gb|usd|eur)\b", re.IGNORECASE)
_LOOK_BACK: Final = 12
_MIN_DIGITS: Final = 9


def phones(regions: tuple[str, ...]) -> Recogniser:
    """Numbers with a country code, and the national ones of these regions where they are written in their grouping."""

    def find(text: str) -> Iterator[Finding]:
        if sum(char.isdigit() for char in text) < _MIN_DIGITS:
            return
        yield from _matches(text, _ANY_REGION, Leniency.VALID)
        for region in regions:
            yield from _matches(text, region, Leniency.STRICT_GROUPING)

    return find


def _matches(text: str, region: str, leniency: int) -> Iterator[Finding]:
    for match in PhoneNumberMatcher(text, region, leniency):
        if sum(char.isdigit() for char in match.raw_string) >= _MIN_DIGITS and not _is_code(
            text, match.start, match.end
        ):
            yield Finding(match.start, match.end, "PHONE", 0.8)


def _is_code(text: str, start: int, end: int) -> bool:
    before = _CODE_BEFORE.search(text, max(0, start - _LOOK_BACK), start)
    return bool(before or _CODE_AFTER.match(text, end))
