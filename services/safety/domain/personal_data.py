"""Recognisers of personal data: a form so narrow that harmless numbers pass, then the kind's own checksum.

All forms are bounded, so that a hostile text costs no more than a long one.
"""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

from services.safety.domain.checksums import IBAN_LENGTHS, is_card, is_iban
from services.safety.domain.findings import Finding

_EMAIL: Final = re.compile(
    r"(?<![\w.+%/-])[^\W_](?:[\w.+%'-]{0,62}[\w+-])?@(?:[^\W_](?:[^\W_]|-(?=[^\W_]|-)){0,62}\.){1,8}(?P<top>[^\W\d_]{2,24}|xn--[a-z0-9-]{2,59})"
    r"(?![\w@-])(?!:[^\s])"  # `git@host:path` is an address of a repository
)
# `icon@2x.png` has the form of an address.
_FILE_SUFFIXES: Final = frozenset(
    "css gif html jpeg jpg js json md mp4 pdf png py svg ts txt webp xml yaml yml zip".split()
)
_DASHES: Final = r"\-\u2010-\u2015\u2212"
_GROUP: Final = re.compile(r"\d+")
_SEPARATOR: Final = re.compile(rf"[\s{_DASHES}]")
# A part of a word or code is no beginning and no end of a card; nor, for digits in one piece, is a decimal or a path.
_INSIDE_BEFORE: Final = re.compile(rf"(?:[\w+]|[^\W\d][{_DASHES}])\Z")
_INSIDE_AFTER: Final = re.compile(r"\w")
_DECIMAL_BEFORE: Final = re.compile(r"[.,/]\Z")
_DECIMAL_AFTER: Final = re.compile(r"[.,/]\d")
_MIN_CARD, _MAX_CARD = 13, 19
# Cards are printed in fours, sixes and fives; rows of smaller numbers add up to one by chance.
_MIN_CARD_GROUP: Final = 3
_IBAN_START: Final = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}")
_IBAN_REST: Final = re.compile(rf"[\s{_DASHES}]?[A-Za-z0-9]")
_SSN: Final = re.compile(
    rf"(?<![\w{_DASHES}.])(?!000|666|9)\d{{3}}([{_DASHES}])(?!00)\d{{2}}\1(?!0000)\d{{4}}(?![\w{_DASHES}])"
)
_SSN_NAMED: Final = re.compile(
    r"(?i:\bssn\b|social security(?: number)?)[^\d\n]{0,20}"
    r"(?P<value>(?!000|666|9)\d{3} ?(?!00)\d{2} ?(?!0000)\d{4})(?!\w)"
)
_IPV4: Final = re.compile(r"(?<![\w.])(?<!\bv)(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d)")
_IPV6: Final = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
_MONTH: Final = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_YEAR: Final = r"(?:19|20)\d\d"
_BORN: Final = re.compile(
    r"(?i)(?:\bborn\b|\bbirth ?da(?:y|te)\b|\bdate of birth\b|\bd\.?o\.?b\b\.?|\bgeboren\b|\bgeburtsdatum\b"
    r"|\bn[ée]e? le\b|\bfecha de nacimiento\b|\bdata di nascita\b)[^\d\n]{0,24}?(?P<value>"
    rf"{_YEAR}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/.]\d{{1,2}}[-/.](?:{_YEAR}|\d\d)"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?\.? (?:of )?{_MONTH},? {_YEAR}"
    rf"|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? {_YEAR})(?![\w/])"
)
_VERSION_BEFORE: Final = re.compile(r"(?i)\b(?:version|ver|v|release|build|firmware|driver)\.?\s*$")


def emails(text: str) -> Iterator[Finding]:
    """E-mail addresses."""
    for match in _EMAIL.finditer(text):
        if match["top"].lower() not in _FILE_SUFFIXES and ".." not in match.group():
            yield Finding(match.start(), match.end(), "EMAIL")


def cards(text: str) -> Iterator[Finding]:
    """Payment cards: whole groups of digits that together are a card, inside a longer row of groups too."""
    groups = list(_GROUP.finditer(text))
    taken = 0
    for first, group in enumerate(groups):
        if first < taken or _INSIDE_BEFORE.search(text, max(0, group.start() - 2), group.start()):
            continue
        digits = ""
        for last in range(first, len(groups)):
            if last > first and not _SEPARATOR.fullmatch(text, groups[last - 1].end(), groups[last].start()):
                break
            if len(groups[last].group()) < _MIN_CARD_GROUP:
                break
            digits += groups[last].group()
            if len(digits) > _MAX_CARD:
                break
            if len(digits) >= _MIN_CARD and is_card(digits) and _stands_alone(text, groups[first : last + 1]):
                taken = last + 1
                yield Finding(group.start(), groups[last].end(), "CREDIT_CARD")
                break


def _stands_alone(text: str, groups: list[re.Match[str]]) -> bool:
    start, end = groups[0].start(), groups[-1].end()
    if _INSIDE_AFTER.match(text, end):
        return False
    decimal = _DECIMAL_BEFORE.search(text, max(0, start - 1), start) or _DECIMAL_AFTER.match(text, end)
    return len(groups) > 1 or not decimal


def ibans(text: str) -> Iterator[Finding]:
    """International bank account numbers, in groups or in one piece."""
    for start in _IBAN_START.finditer(text):
        length = IBAN_LENGTHS.get(start.group()[:2].upper(), 0)
        at = start.end()
        compact = start.group()
        while len(compact) < length and (part := _IBAN_REST.match(text, at)):
            compact += part.group()[-1]
            at = part.end()
        if is_iban(compact) and not text[at : at + 1].isalnum():
            yield Finding(start.start(), at, "IBAN")


def social_security_numbers(text: str) -> Iterator[Finding]:
    """US social security numbers: in three groups with dashes, or in any form where they are named."""
    for match in _SSN.finditer(text):
        yield Finding(match.start(), match.end(), "US_SSN", 0.9)
    for match in _SSN_NAMED.finditer(text):
        yield Finding(match.start("value"), match.end("value"), "US_SSN", 0.9)


def birth_dates(text: str) -> Iterator[Finding]:
    """Dates that are named as somebody's birthday; any other date is nobody's."""
    for match in _BORN.finditer(text):
        yield Finding(match.start("value"), match.end("value"), "BIRTH_DATE", 0.9)


def ip_addresses(text: str) -> Iterator[Finding]:
    """Addresses that are reachable from outside; a version number in the form of one is none."""
    for form in (_IPV4, _IPV6):
        for match in form.finditer(text):
            if _is_global(match.group()) and not _VERSION_BEFORE.search(
                text, max(0, match.start() - 16), match.start()
            ):
                yield Finding(match.start(), match.end(), "IP_ADDRESS", 0.8)


def _is_global(value: str) -> bool:
    try:
        return ip_address(value).is_global
    except ValueError:
        return False
