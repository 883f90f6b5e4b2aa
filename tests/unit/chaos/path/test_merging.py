"""Several units as one line."""

from tests.chaos.attack import Report
from tests.chaos.path.merging import merged


def test_figures_are_added_by_name_and_counts_in_words_by_word() -> None:
    one = Report(
        "5 kills",
        {"kills": 5, "killed": "safety 3, feedback 2, grounding 0", "longest": 1.5, "most taken": 3.0, "of": "a"},
    )
    two = Report(
        "5 kills",
        {"kills": 5, "killed": "inference 4, safety 1", "longest": 0.5, "most taken": 7.0, "of": "b"},
        ("lost",),
    )
    whole = merged([one, two])
    assert whole.done == "2 times 5 kills"
    assert whole.figures == {
        "kills": 10, "killed": "feedback 2, grounding 0, inference 4, safety 4", "longest": 1.5, "most taken": 7.0,
        "of": "a; b",
    }  # fmt: skip
    assert whole.violations == ("lost",)


def test_words_that_are_no_counts_are_not_added() -> None:
    alone = merged([Report("a", {"slowest": "model down/2"}), Report("b", {"slowest": "redis slow/1"})])
    assert alone.figures == {"slowest": "model down/2; redis slow/1"}
    assert alone.done == "a; b"
