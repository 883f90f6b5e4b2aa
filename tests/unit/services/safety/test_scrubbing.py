"""What leaves the house carries nobody's data."""

from services.safety.adapters.policies import detectors_for
from services.safety.adapters.scrubbing import scrub
from services.safety.domain.policy import Policy
from services.safety.ports import Looks

DETECTORS = detectors_for(Policy(name="p", version="1", phone_regions=("US",), rules=()), Looks())


def test_a_value_has_one_mask_in_all_of_the_texts() -> None:
    done = scrub(["Mail jo@corp.test.", "I mailed jo@corp.test and al@corp.test."], DETECTORS)
    assert done["texts"] == ["Mail <EMAIL_1>.", "I mailed <EMAIL_1> and <EMAIL_2>."]
    assert done["masked"] == {"EMAIL": 3}


def test_what_a_policy_would_let_pass_is_masked_too() -> None:
    """A policy without any rule: these texts are for strangers."""
    texts = ["Card 4111 1111 1111 1111, key AKIAIOSFODNN7EXAMPLE, from 8.8.8.8.", "My password is hunter2x."]
    done = scrub(texts, DETECTORS)
    assert done["texts"] == [
        "Card <CREDIT_CARD_1>, key <SECRET_1>, from <IP_ADDRESS_1>.",
        "My password is <PASSWORD_1>.",
    ]


def test_a_mask_that_stands_there_is_not_given_to_another() -> None:
    done = scrub(["<EMAIL_1> or jo@corp.test?"], DETECTORS)
    assert done["texts"] == ["<EMAIL_1> or <EMAIL_2>?"]


def test_harmless_texts_stay_as_they_are() -> None:
    texts = ["Version 2.14.0 of order 20931.", ""]
    assert scrub(texts, DETECTORS) == {"texts": texts, "masked": {}}
