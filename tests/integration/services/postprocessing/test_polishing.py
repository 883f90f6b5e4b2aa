"""Grammar and tone by the library that ships."""

import pytest

from services.postprocessing.adapters.polishing import HarperPolisher
from services.postprocessing.domain.formatting import Style

pytestmark = pytest.mark.integration
POLISHER = HarperPolisher()


@pytest.mark.parametrize(
    ("style", "text", "polished"),
    [
        ("grammar", "This is an example of of text.", "This is an example of text."),
        ("grammar", "He go to school and I could of done it.", "He goes to school and I could have done it."),
        ("grammar", "We don't know Qdrant, valkey and kafka.", "We don't know Qdrant, valkey and kafka."),
        ("formal", "We don't know.", "We do not know."),
        ("grammar", "Run `of of` or\n\n```\nof of\n```\n", "Run `of of` or\n\n```\nof of\n```\n"),
        ("grammar", "Shipping is free [1][2].", "Shipping is free [1][2]."),
        ("grammar", "日本 and and 😀 of of.", "日本 and 😀 of."),
        ("grammar", "Das ist ein Test, und und er geht.", "Das ist ein Test, und und er geht."),
    ],
)
def test_what_is_surely_wrong_is_put_right_and_nothing_else(style: Style, text: str, polished: str) -> None:
    assert POLISHER.polish(text, style) == polished
    assert POLISHER.polish(text, style) == POLISHER.polish(text, style)
