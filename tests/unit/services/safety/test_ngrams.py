import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from services.safety.adapters.ngrams import BITS, features


def test_the_same_text_has_the_same_features_on_every_machine() -> None:
    """INVARIANT: a head that was trained elsewhere judges here as it did there."""
    indices, counts = features("ab ab")
    assert indices.tolist() == [
        *(635, 46320, 77201, 95446, 103113, 112389),
        *(114693, 122375, 165444, 198097, 199983, 249524),
    ]
    assert np.allclose(counts, [1, 1.693, 1, 1, 1, 1, 1, 1.693, 1.693, 1.693, 1.693, 1.693], atol=1e-3)


def test_case_and_white_space_make_no_difference() -> None:
    assert (features("Ignore  ALL\nof it")[0] == features("ignore all of it")[0]).all()


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_text_has_features_within_bounds(text: str) -> None:
    indices, counts = features(text)
    assert len(indices) == len(counts) > 0
    assert (np.diff(indices) > 0).all()
    assert 0 <= indices.min() <= indices.max() < 1 << BITS
    assert (counts >= 1).all()
