"""One form for the same words."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.preprocessing.domain.normalisation import normalise

TRICKY = st.text(
    st.sampled_from(
        "a e\u0301\u200b\u200c\u200d\u202e\u2066\ufeff\u00a0\t\n\r\u2028\x00\x1b\u0628\u0627"
        "\U0001f468\U0001f469\U000e0061\U0001f3f4\U000e007f"
    )
)


@given(text=st.one_of(TRICKY, st.text()))
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    """INVARIANT: idempotent, so that a text that came back in is judged like the one that went out."""
    once = normalise(text).text
    assert normalise(once).text == once
    assert normalise(once).changes == ()


@given(text=st.one_of(TRICKY, st.text()))
def test_changes_are_named_exactly_when_there_are_any(text: str) -> None:
    normalised = normalise(text)
    assert bool(normalised.changes) == (normalised.text != text)


@given(text=st.one_of(TRICKY, st.text()))
def test_what_is_left_is_composed_and_can_be_seen(text: str) -> None:
    left = normalise(text).text
    assert unicodedata.is_normalized("NFC", left)
    assert not set(left) & set("\x00\x1b\r\u200b\u202e\u2066\ufeff\u00ad")


@pytest.mark.parametrize(
    ("text", "expected", "changes"),
    [
        ("plain", "plain", ()),
        ("cafe\u0301", "caf\u00e9", ("nfc",)),
        ("ig\u200bnore", "ignore", ("zero_width",)),
        ("a\u202eb", "ab", ("bidi_controls",)),
        ("hi\U000e0068\U000e0069", "hi", ("tag_characters",)),
        ("a\x00b\x1b", "ab", ("control_characters",)),
        ("a\r\nb\rc", "a\nb\nc", ("newlines",)),
        ("a\u00a0b", "a b", ("spaces",)),
        ("a  \nb", "a\nb", ("trailing_spaces",)),
        ("a\n\n\n\n\nb", "a\n\n\nb", ("blank_lines",)),
        ("  hi", "hi", ("edges",)),
        ("in\u200dput", "input", ("joiners",)),
    ],
)
def test_what_changes_and_what_it_is_called(text: str, expected: str, changes: tuple[str, ...]) -> None:
    normalised = normalise(text)
    assert (normalised.text, normalised.changes) == (expected, changes)


@pytest.mark.parametrize(
    "text",
    [
        "def f(x):\n\tif x:\n\t    return  x\n",
        "    indented = True\n    more = True",
        "x\u00b2 \u2260 x2, \ufb01, \u216b, \uff21\uff22",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u0915\u094d\u200d\u0937",
        "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    ],
)
def test_code_formulas_emoji_and_scripts_stay_as_they_are(text: str) -> None:
    assert normalise(text).text == text.rstrip()


def test_a_long_run_of_spaces_is_no_way_to_stall_the_service() -> None:
    assert normalise("a" + " " * 1_000_000 + "b").text.endswith("b")
