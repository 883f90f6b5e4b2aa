"""Word n-grams."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from headrace.models.classifier.features import BITS, ngrams


def test_a_text_has_its_words_and_their_pairs_and_threes_each_once() -> None:
    assert len(ngrams("good good good")) == 3
    assert len(ngrams("not good at all")) == 4 + 3 + 2


def test_case_and_the_kind_of_apostrophe_make_no_difference_and_words_do() -> None:
    assert np.array_equal(ngrams("Don\u2019t BUY"), ngrams("don't buy"))
    assert set(ngrams("not good")) - set(ngrams("good"))


@given(text=st.text(max_size=60))
def test_any_text_has_sorted_indices_within_bounds(text: str) -> None:
    indices = ngrams(text)
    assert list(indices) == sorted(set(indices.tolist()))
    assert all(0 <= index < 1 << BITS for index in indices)
