import pytest

pytest.importorskip("bm25s")

from headrace.cli.eval.bare import bm25

PASSAGES = [
    ("weir", "The weir was built of stone."),
    ("keeper", "The keeper greases the gates in March."),
    ("keeper", "Nothing here."),
    ("turbine", "A turbine spins fast."),
]


def test_documents_come_in_the_order_of_their_best_passage_each_once() -> None:
    first, second = bm25(PASSAGES, ["Who greased the gate?", "How fast do turbines spin?"])
    assert first[0] == "keeper"
    assert second[0] == "turbine"
    assert sorted(first) == ["keeper", "turbine", "weir"]
