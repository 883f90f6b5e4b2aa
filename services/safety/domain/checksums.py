"""Checks by which a number shows that it is what it looks like."""

from typing import Final

# Length by country, from the registry that SWIFT keeps for ISO 13616.
IBAN_LENGTHS: Final = {
    pair[:2]: int(pair[2:])
    for pair in (
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 "
        "ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 "
        "LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 "
        "PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20"
    ).split()
}
# First digits and lengths of the card schemes (ISO/IEC 7812). Without them every tenth long number passes for a card.
_CARD_SCHEMES: Final = (
    (("4",), {13, 16, 19}),
    (tuple(str(prefix) for prefix in range(51, 56)), {16}),
    (tuple(str(prefix) for prefix in range(2221, 2721)), {16}),
    (("34", "37"), {15}),
    (("6011", "65", *(str(prefix) for prefix in range(644, 650))), {16, 19}),
    (("36", "38", "39", *(str(prefix) for prefix in range(300, 306))), {14}),
    (tuple(str(prefix) for prefix in range(3528, 3590)), {16}),
    (("62", "81"), {16, 17, 18, 19}),
    (("5018", "5020", "5038", "5893", "6304", "6759", "6761", "6762", "6763"), {13, 14, 15, 16, 17, 18, 19}),
)


def luhn(digits: str) -> bool:
    """The check digit of payment cards (ISO/IEC 7812-1)."""
    total = 0
    for index, digit in enumerate(reversed(digits)):
        total += sum(divmod(int(digit) * (1 + index % 2), 10))
    return total % 10 == 0


def is_card(digits: str) -> bool:
    """A number of a known card scheme, in its length, with its check digit."""
    known = any(digits.startswith(prefixes) and len(digits) in lengths for prefixes, lengths in _CARD_SCHEMES)
    return known and luhn(digits)


def is_iban(compact: str) -> bool:
    """An IBAN without spaces, of its country's length, with remainder 1 (ISO 13616)."""
    text = compact.upper()
    if IBAN_LENGTHS.get(text[:2]) != len(text) or not text.isalnum() or not text.isascii():
        return False
    return int("".join(str(int(char, 36)) for char in text[4:] + text[:4])) % 97 == 1
