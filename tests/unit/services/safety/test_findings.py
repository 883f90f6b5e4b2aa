from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from services.safety.domain.findings import Finding, without_overlaps

SPANS = st.tuples(st.integers(0, 30), st.integers(1, 10), st.sampled_from([0.5, 1.0]))


@settings(deadline=None)
@given(st.lists(SPANS.map(lambda span: Finding(span[0], span[0] + span[1], "EMAIL", span[2])), max_size=12))
def test_what_is_kept_is_in_order_apart_and_covers_the_surest(findings: list[Finding]) -> None:
    kept = without_overlaps(findings)
    assert all(left.end <= right.start for left, right in pairwise(kept))
    for finding in findings:
        rivals = [other for other in kept if other.start < finding.end and finding.start < other.end]
        assert rivals
        assert max(other.score for other in rivals) >= finding.score


def test_of_two_that_overlap_the_surer_then_the_longer_stays() -> None:
    phone, card = Finding(0, 10, "PHONE", 0.8), Finding(5, 20, "CREDIT_CARD", 1.0)
    assert without_overlaps([phone, card]) == [card]
    assert without_overlaps([Finding(0, 5, "EMAIL"), Finding(0, 9, "EMAIL")]) == [Finding(0, 9, "EMAIL")]
    assert without_overlaps([Finding(5, 9, "EMAIL"), Finding(0, 5, "EMAIL")]) == [
        Finding(0, 5, "EMAIL"),
        Finding(5, 9, "EMAIL"),
    ]
