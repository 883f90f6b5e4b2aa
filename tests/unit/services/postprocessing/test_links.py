"""Addresses that the model may have made up."""

import time

import pytest

from services.postprocessing.domain.links import unknown


@pytest.mark.parametrize(
    ("text", "given", "found"),
    [
        ("No address at all.", [], ()),
        ("See https://a.example/x.", ["https://a.example/x"], ()),
        ("See [it](https://a.example/x), please", ["http://www.a.example/x/"], ()),
        ("See www.a.example!", ["https://a.example"], ()),
        ("See https://a.example/y", ["https://a.example/x"], ("https://a.example/y",)),
        ("https://b.example and (https://b.example)", [], ("https://b.example",)),
        ("**https://b.example/a_b**", ["a text about https://b.example/a_b and more"], ()),
    ],
)
def test_addresses_that_stand_in_nothing_that_was_given(text: str, given: list[str], found: tuple[str, ...]) -> None:
    assert unknown(text, given) == found


def test_a_long_text_takes_no_longer_than_its_length() -> None:
    began = time.perf_counter()
    for text in ("https://" * 8_000, "www." * 16_000, "x" * 64_000):
        unknown(text, [text])
    assert time.perf_counter() - began < 1
