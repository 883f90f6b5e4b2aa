"""Check digits that python-stdnum does not know, each a function of the number without blanks and dashes."""

from collections.abc import Callable, Iterable, Mapping
from itertools import cycle
from typing import Final

from stdnum import luhn, verhoeff

_NEVER_NINO: Final = frozenset("BG GB KN NK NT TN ZZ".split())
_NRIC: Final = {"S": (0, "JZIHGFEDCBA"), "T": (4, "JZIHGFEDCBA"), "F": (0, "XWUTRQPNMLK"), "G": (4, "XWUTRQPNMLK")}
_NRIC_M: Final = "KLJNPQRTUWX"


def nino(number: str) -> bool:
    """UK national insurance: prefixes that were never given out."""
    return number[:2] not in _NEVER_NINO


def npi(number: str) -> bool:
    """US national provider identifier: Luhn with the prefix of US health cards."""
    return luhn.is_valid("80840" + number)


def dea(number: str) -> bool:
    """US prescribers' registration: the odd digits and twice the even ones."""
    digits = [int(digit) for digit in number[2:]]
    return (sum(digits[0:6:2]) + 2 * sum(digits[1:6:2])) % 10 == digits[6]


def medicare_au(number: str) -> bool:
    """Australian Medicare card."""
    return number[0] in "23456" and _weighed(number[:8], (1, 3, 7, 9)) % 10 == int(number[8])


def nric(number: str) -> bool:
    """Singapore's NRIC and FIN."""
    total = _weighed(number[1:8], (2, 7, 6, 5, 4, 3, 2))
    if number[0] == "M":
        return _NRIC_M[(total + 3) % 11] == number[8]
    offset, letters = _NRIC[number[0]]
    return letters[(total + offset) % 11] == number[8]


def snils(number: str) -> bool:
    """Russian pension insurance."""
    return _weighed(number[:9], range(9, 0, -1)) % 101 % 100 == int(number[9:])


def icao_document(number: str) -> bool:
    """Number of a passport or identity card with its check digit (ICAO 9303): weights 7, 3, 1."""
    return _weighed((str(int(char, 36)) for char in number[:9]), (7, 3, 1)) % 10 == int(number[9])


def health_insurance_de(number: str) -> bool:
    """German Krankenversichertennummer."""
    digits = f"{ord(number[0]) - 64:02d}{number[1:9]}"
    return _crossed(digits, (1, 2)) % 10 == int(number[9])


def pension_de(number: str) -> bool:
    """German Rentenversicherungsnummer: it holds the birthday."""
    day, month = int(number[2:4]), int(number[4:6])
    digits = f"{number[:8]}{ord(number[8]) - 64:02d}{number[9:11]}"
    plausible = 1 <= day % 50 <= 31 and 1 <= month <= 12  # noqa: PLR2004 - a calendar's; days over 50 are additions
    return plausible and _crossed(digits, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)) % 10 == int(number[11])


def physician_de(number: str) -> bool:
    """German lifelong physicians' number."""
    return (10 - _weighed(number[:6], (4, 9)) % 10) % 10 == int(number[6])


def _weighed(digits: Iterable[str], weights: Iterable[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, cycle(weights), strict=False))


def _crossed(digits: str, weights: tuple[int, ...]) -> int:
    return sum(sum(divmod(int(digit) * weight, 10)) for digit, weight in zip(digits, cycle(weights), strict=False))


OWN: Final[Mapping[str, Callable[[str], bool]]] = {
    **{check.__name__: check for check in (nino, npi, dea, medicare_au, nric, snils, icao_document)},
    **{check.__name__: check for check in (health_insurance_de, pension_de, physician_de)},
    "verhoeff": verhoeff.is_valid,
}
