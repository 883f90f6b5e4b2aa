import re
from pathlib import Path

import pytest

from services.safety.adapters.policies import detectors_for, load_policies
from services.safety.domain.checksums import is_card, is_iban, luhn
from services.safety.domain.findings import Finding
from services.safety.domain.matching import matches
from services.safety.domain.policy import CredentialRule, PersonalDataRule
from services.safety.ports import Looks

ROOT = Path(__file__).parents[4]
CASES = ROOT / "tests" / "bench" / "safety"
POLICY = load_policies(ROOT / "infra" / "policies")["default"]
DETECTORS = detectors_for(POLICY, Looks())
RULES = [
    rule for rule in POLICY.rules if isinstance(rule, PersonalDataRule | CredentialRule) and rule.looks_at("input")
]


def found(text: str) -> list[Finding]:
    return [finding for rule in RULES for finding in matches(rule, text, DETECTORS)]


def marked(line: str) -> tuple[str, list[tuple[int, int]]]:
    text, spans = "", []
    for index, part in enumerate(re.split(r"\[\[|\]\]", line)):
        if index % 2:
            spans.append((len(text), len(text) + len(part)))
        text += part
    return text, spans


@pytest.mark.parametrize("line", (CASES / "personal_data.txt").read_text(encoding="utf-8").splitlines())
def test_personal_data_is_found_where_it_stands(line: str) -> None:
    text, spans = marked(line)
    assert [(finding.start, finding.end) for finding in found(text)] == spans


@pytest.mark.parametrize("line", (CASES / "harmless_numbers.txt").read_text(encoding="utf-8").splitlines())
def test_versions_codes_and_amounts_are_nobodys_data(line: str) -> None:
    assert found(line) == []


def test_a_card_with_a_wrong_check_digit_is_none() -> None:
    assert is_card("4111111111111111")
    assert not is_card("4111111111111112")


def test_a_number_of_no_card_scheme_is_none_even_with_its_check_digit() -> None:
    assert luhn("9111111111111110") or not is_card("9111111111111110")
    assert luhn("0000000000000000")
    assert not is_card("0000000000000000")


def test_an_iban_has_its_countrys_length_and_remainder() -> None:
    assert is_iban("DE89370400440532013000")
    assert not is_iban("DE88370400440532013000")
    assert not is_iban("DE8937040044053201300")
    assert not is_iban("ZZ89370400440532013000")


def test_only_addresses_that_the_world_can_reach_are_somebodys() -> None:
    rule = PersonalDataRule(name="ip", kind="pii", action="warn", entities=("IP_ADDRESS",))
    text = "8.8.8.8, 192.168.1.1, version 1.2.3.4, 2001:4860:4860::8888 and fe80::1"
    assert [text[at.start : at.end] for at in matches(rule, text, DETECTORS)] == ["8.8.8.8", "2001:4860:4860::8888"]


def test_exempt_values_are_not_found() -> None:
    rule = PersonalDataRule(name="mail", kind="pii", action="warn", entities=("EMAIL",), exempt=("*@ACME.test",))
    assert matches(rule, "help@acme.test", DETECTORS) == []
    assert len(matches(rule, "help@acme.tests", DETECTORS)) == 1


@pytest.mark.parametrize(
    "hostile", ["a@" * 8000, "1 " * 16000, "123 456 7890 " * 2400, "DE89 " * 6400, "a." * 16000, "(" * 32000]
)
@pytest.mark.timeout(20)
def test_a_hostile_text_costs_no_more_than_a_long_one(hostile: str) -> None:
    found(hostile)
