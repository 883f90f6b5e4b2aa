import pytest

from services.safety.domain import credentials


def keys(text: str) -> list[str]:
    return [text[finding.start : finding.end] for finding in credentials.keys(text)]


def passwords(text: str) -> list[str]:
    return [text[finding.start : finding.end] for finding in credentials.passwords(text)]


@pytest.mark.parametrize(
    "key",
    [
        "AKIA" + "IOSFODNN7EXAMPLE",
        "ghp_" + "a1B2" * 9,
        "github_pat_" + "11ABCDEFG0" * 3,
        "glpat-" + "abcDEF123456_-abcdEF",
        "xoxb-" + "123456789012-abcdefABCDEF",
        "AIza" + "SyA1234567890abcdefghijklmnopqrstuvw"[:35],
        "sk_live_" + "abcdEFGH12345678",
        "sk-" + "proj-abcdefghij0123456789ABCDEFGHIJ",
        "hf_" + "abcdefghijABCDEFGHIJ0123456789",
        "npm_" + "a1B2" * 9,
        "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.c2lnbmF0dXJl",
    ],
)
def test_a_key_is_known_by_the_form_that_its_issuer_gave_it(key: str) -> None:
    assert keys(f"Use {key}, it works.") == [key]


def test_a_private_key_is_found_whole() -> None:
    block = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIIr\nabc=\n-----END EC PRIVATE KEY-----"
    assert keys(f"here: {block} and so on") == [block]
    assert keys("-----BEGIN PRIVATE KEY-----\nMHcC") == ["-----BEGIN PRIVATE KEY-----"]


def test_what_is_named_a_key_and_looks_random_is_one() -> None:
    assert keys("api_key = 'q8Zr2LmX9vTb4KpW'") == ["q8Zr2LmX9vTb4KpW"]
    assert keys("Authorization: Bearer q8Zr2LmX9vTb4KpW7a") == ["q8Zr2LmX9vTb4KpW7a"]
    assert keys("api_key = your_api_key_goes_here") == []


@pytest.mark.parametrize(
    "text", ["My password is hunter2", "password: 'hunter2'", "PIN=4711", "the passphrase is hunter2."]
)
def test_a_password_is_known_by_its_name(text: str) -> None:
    assert passwords(text) in (["hunter2"], ["4711"])


@pytest.mark.parametrize(
    "text", ["The password is required.", "my password is wrong", "What is a PIN?", "Password: none"]
)
def test_a_plain_word_is_no_password(text: str) -> None:
    assert passwords(text) == []
