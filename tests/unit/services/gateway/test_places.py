from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain.places import Offsets, slot_of

offsets = st.builds(Offsets, st.integers(0, 99), st.integers(0, 99))


@given(st.text(), st.integers(1, 64))
def test_a_gateway_keeps_its_slot_over_restarts(instance: str, partitions: int) -> None:
    assert slot_of(instance, partitions) == slot_of(instance, partitions) < partitions


@given(offsets, offsets)
def test_a_reader_at_the_earlier_place_passes_both(first: Offsets, second: Offsets) -> None:
    earlier = first.earlier(second)
    assert earlier.reaches(first)
    assert earlier.reaches(second)
