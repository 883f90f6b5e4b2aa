import pytest

from services.safety.adapters.policies import detectors_for
from services.safety.domain import personal_data
from services.safety.domain.findings import Finding
from services.safety.domain.masking import masks_in
from services.safety.domain.matching import matches
from services.safety.domain.names import Piece, addresses, people
from services.safety.domain.policy import PersonalDataRule, Policy
from services.safety.ports import Looks

ADDRESS = "Ship to 12 Elm Road, Suite 4, Denver, CO 80279. Thanks"


def piece(text: str, word: str, label: str, score: float = 0.9) -> Piece:
    return Piece(text.index(word), text.index(word) + len(word), label, score)


def told(text: str, findings: object) -> list[str]:
    return [text[finding.start : finding.end] for finding in findings]  # type: ignore[attr-defined]


def test_a_given_name_and_a_surname_are_one_person() -> None:
    text = "Ask Ana M. Souza or Bo."
    pieces = [
        piece(text, "Ana", "B-GIVEN_NAME"),
        piece(text, "Souza", "B-SURNAME"),
        piece(text, "Bo", "B-GIVEN_NAME"),
    ]
    assert told(text, people(text, pieces)) == ["Ana M. Souza", "Bo"]


def test_a_word_that_the_tokenizer_cut_is_whole() -> None:
    text = "Johansson called."
    assert told(text, people(text, [Piece(2, 5, "B-SURNAME", 0.9)])) == ["Johansson"]


def test_what_is_hardly_a_name_is_none() -> None:
    text = "Ask Rho."
    assert told(text, people(text, [piece(text, "Rho", "B-SURNAME", 0.4)])) == []


def test_an_address_is_one_from_its_number_to_its_code() -> None:
    pieces = [piece(ADDRESS, "Elm Road", "B-STREET_NAME"), piece(ADDRESS, "Denver", "B-CITY")]
    assert told(ADDRESS, addresses(ADDRESS, pieces)) == ["12 Elm Road, Suite 4, Denver, CO 80279"]


def test_a_city_alone_is_where_anybody_lives() -> None:
    assert told(ADDRESS, addresses(ADDRESS, [piece(ADDRESS, "Denver", "B-CITY")])) == []
    assert told("Code 8293.", addresses("Code 8293.", [Piece(5, 9, "B-ZIP_CODE", 0.9)])) == []


def test_a_mask_is_no_name() -> None:
    """INVARIANT: a mask is never masked again, nor taken for a leak."""

    class Everyone:
        def people(self, text: str) -> list[Finding]:
            return [Finding(0, len(text), "PERSON")]

        def addresses(self, text: str) -> list[Finding]:
            del text
            return []

    rule = PersonalDataRule(name="people", kind="pii", action="refuse", entities=("PERSON",))
    policy = Policy(name="p", version="1", rules=(rule,))
    detectors = detectors_for(policy, Looks(names=Everyone()))
    assert list(masks_in("<PERSON_1>"))
    assert matches(rule, "<PERSON_1>", detectors) == []
    assert matches(rule, "Ann", detectors) == [Finding(0, 3, "PERSON")]


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("She was born on 5 April 1990.", ["5 April 1990"]),
        ("DOB: 03/15/1992", ["03/15/1992"]),
        ("Date of birth: March 3rd, 1985.", ["March 3rd, 1985"]),
        ("The release of 2024-05-01 is late.", []),
    ],
)
def test_a_date_is_a_birthday_where_it_is_called_one(text: str, date: list[str]) -> None:
    assert told(text, personal_data.birth_dates(text)) == date
