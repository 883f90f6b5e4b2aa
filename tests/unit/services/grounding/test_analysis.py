import pytest

from services.grounding.domain.analysis import stems, terms


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Committing an offset, after its effects", ["commit", "offset", "effect"]),
        ("The café's Zürich branch", ["cafe", "zurich", "branch"]),
        ("error E-4711 of open_bank_account_99", ["error", "e", "4711", "open", "bank", "account", "99"]),
        ("What is it?", []),
        ("\u6c34\u9580\u306f", ["\u6c34\u9580", "\u9580\u306f"]),
        ("\u6c34", ["\u6c34"]),
        ("", []),
    ],
)
def test_words_are_found_by_their_stem(text: str, found: list[str]) -> None:
    assert stems(text) == found


def test_every_term_knows_its_place() -> None:
    text = "Don't drop the Caf\u00e9 \u6c34\u9580 offsets"
    for term in terms(text):
        word = text[term.start : term.end]
        assert word
        assert " " not in word
    assert [text[term.start : term.end] for term in terms(text)][:4] == ["Don't", "drop", "the", "Caf\u00e9"]
