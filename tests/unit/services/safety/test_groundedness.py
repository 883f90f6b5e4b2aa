import pytest

from services.safety.domain.groundedness import Statement, statements, support

SOURCE = "A monthly maintenance fee of $25.00 applies to the Gold account. It is waived above a balance of 5,000 USD."


@pytest.mark.parametrize(
    "claim",
    [
        "The Gold account has a monthly maintenance fee of $25 [1].",
        "The fee is waived if the balance is above 5000 USD [1].",
        "Maintenance is $25.00 monthly for a Gold account [1].",
    ],
)
def test_what_a_source_says_is_borne_out(claim: str) -> None:
    assert support(claim, SOURCE) > 0.55


@pytest.mark.parametrize(
    "claim",
    [
        "The Gold account has a monthly maintenance fee of $35 [1].",
        "The Platinum account has a monthly maintenance fee [1].",
        "Travellers get free insurance for rental cars abroad [1].",
    ],
)
def test_what_it_does_not_say_is_not(claim: str) -> None:
    assert support(claim, SOURCE) <= 0.5


def test_what_the_question_said_needs_no_source() -> None:
    assert support("With 7 cards the Gold fee is $25 [1].", SOURCE) < 0.6
    assert support("With 7 cards the Gold fee is $25 [1].", SOURCE, "What is the fee with 7 cards?") > 0.9


def test_only_sentences_that_cite_are_statements() -> None:
    answer = "Hello there. The fee is $25 [1]. Anything else? See [9]."
    assert list(statements(answer, {"[1]": SOURCE})) == [Statement(13, 33, 1.0)]
