"""Numbers with check digits, on the examples that the library which checks them brings in its own documentation."""

import re
from importlib import import_module

import pytest

from services.safety.adapters.identifiers import identifiers
from services.safety.domain import check_digits
from services.safety.domain.identifiers import IDENTIFIERS, KINDS, Identifier
from services.safety.domain.policy import PATTERNED

BY_LIBRARY = [identifier for identifier in IDENTIFIERS if identifier.check and identifier.check not in check_digits.OWN]
EXAMPLE = re.compile(r">>> \w+\('([^']+)'\)")


# What presidio-analyzer 2.2.366 checks by digits, in its names; where ours differs, ours.
PRESIDIO = set(
    "ABA_ROUTING_NUMBER AU_ABN AU_ACN AU_MEDICARE AU_TFN CA_SIN CREDIT_CARD CRYPTO DE_HEALTH_INSURANCE DE_ID_CARD "
    "DE_LANR DE_SOCIAL_SECURITY DE_TAX_ID ES_NIE ES_NIF EU_VAT FI_PERSONAL_IDENTITY_CODE IBAN IN_AADHAAR IN_GSTIN "
    "IT_FISCAL_CODE IT_VAT_CODE KR_BRN KR_RRN MEDICAL_LICENSE NG_NIN PL_PESEL SE_ORGANISATIONSNUMMER SE_PERSONNUMMER "
    "SG_UEN TH_TNIN TR_NATIONAL_ID UK_NHS US_NPI ZA_ID".split()
)


def test_every_kind_that_presidio_checks_by_its_digits_is_checked_here() -> None:
    assert PRESIDIO <= KINDS | PATTERNED
    checked = {identifier.kind for identifier in IDENTIFIERS if identifier.check}
    assert PRESIDIO - {"CREDIT_CARD", "IBAN"} <= checked


def examples(identifier: Identifier) -> list[str]:
    module = import_module(f"stdnum.{identifier.check}")
    written = dict.fromkeys(EXAMPLE.findall(module.__doc__ or ""))
    # Those in the form of this row; another row of the kind has the others.
    return [number for number in written if module.is_valid(number) and re.fullmatch(identifier.form, number)]


def found(text: str, kind: str) -> list[str]:
    return [text[finding.start : finding.end] for finding in identifiers(kind)(text)]


@pytest.mark.parametrize("identifier", BY_LIBRARY, ids=[f"{one.kind}-{one.near[:12]}" for one in BY_LIBRARY])
def test_the_librarys_own_examples_are_found_where_they_stand(identifier: Identifier) -> None:
    named = identifier.near.split(", ")[0]
    for number in examples(identifier):
        assert found(f"For the form: {named} {number}, as you asked.", identifier.kind) == [number]


@pytest.mark.parametrize("identifier", BY_LIBRARY, ids=[f"{one.kind}-{one.near[:12]}" for one in BY_LIBRARY])
def test_a_number_with_a_wrong_digit_is_none(identifier: Identifier) -> None:
    named = identifier.near.split(", ")[0]
    valid = import_module(f"stdnum.{identifier.check}").is_valid
    for number in examples(identifier):
        wrong = [f"{number[:-1]}{digit}" for digit in "0123456789" if digit != number[-1]]
        wrong = [other for other in wrong if not valid(other)]
        assert not [other for other in wrong if found(f"For the form: {named} {other}.", identifier.kind)]


@pytest.mark.parametrize(
    ("kind", "text", "number"),
    [
        ("UK_NINO", "My NI number is AB 12 34 56 C.", "AB 12 34 56 C"),
        ("US_NPI", "NPI 1234567893", "1234567893"),
        ("MEDICAL_LICENSE", "His DEA number is BB1388568.", "BB1388568"),
        ("AU_MEDICARE", "medicare card 2123 45670 1", "2123 45670 1"),
        ("SG_NRIC_FIN", "I am S1234567D.", "S1234567D"),
        ("RU_SNILS", "112-233-445 95", "112-233-445 95"),
        ("DE_ID_CARD", "Personalausweis T220001293", "T220001293"),
        ("DE_HEALTH_INSURANCE", "Versichertennummer A123456780", "A123456780"),
        ("DE_SOCIAL_SECURITY", "15 070649 C 103", "15 070649 C 103"),
        ("US_MBI", "1EG4-TE5-MK73", "1EG4-TE5-MK73"),
        ("MAC_ADDRESS", "at 00:1B:44:11:3A:B7 now", "00:1B:44:11:3A:B7"),
        ("PASSPORT", "passport number C01234567", "C01234567"),
        ("DRIVER_LICENSE", "my driver's license is D1234567", "D1234567"),
    ],
)
def test_what_the_library_does_not_know_is_checked_here(kind: str, text: str, number: str) -> None:
    assert found(text, kind) == [number]


@pytest.mark.parametrize(
    "text",
    [
        "Build 943 476 5919 failed.",
        "Ticket 44051401359 is open since 12 May.",
        "Part 131052-308-T costs 12.50.",
        "The checksum is 756.9217.0769.85.1.",
        "0.9434765919 of them",
        "EAN 4006381333931",
    ],
)
def test_a_bare_number_that_nobody_names_is_nobodys(text: str) -> None:
    assert not [kind for kind in KINDS if found(text, kind)]


def test_a_name_may_stand_behind_the_number() -> None:
    assert found("943 476 5919 is my NHS number.", "UK_NHS") == ["943 476 5919"]
    assert found("943 476 5919 is what the long line above this one says. NHS", "UK_NHS") == []
