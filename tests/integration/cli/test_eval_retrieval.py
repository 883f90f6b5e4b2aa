"""What `headrace eval retrieval` has the service do, on a handful of documents."""

from pathlib import Path
from typing import Any

import pytest
import typer

from headrace.cli.eval.rankings import outcome
from headrace.cli.eval.retrieval import _outcomes, _try

pytestmark = pytest.mark.integration

DOCUMENTS = {
    "weir": "The weir was built of granite in 1911 and is three metres high.",
    "keeper": "The keeper greases the gates in March. His telephone is XK-4711.",
    "bread": "Bread rises at night, in a bowl under a cloth.",
}
QUESTIONS = ("How tall is the dam?", "Whose number is XK-4711?")
NEEDED = [{"weir"}, {"keeper"}]


def task(folder: Path, **changed: Any) -> dict[str, Any]:
    documents = [{"id": name, "title": name, "content": text} for name, text in DOCUMENTS.items()]
    weights = [{"meaning": 0.5, "support": 0.3}, {"meaning": 1.0, "support": 0.0}]
    whole = {"rescoring": "", "threads": 1, "weights": weights, "documents": documents, "questions": QUESTIONS}
    return {"folder": str(folder), **whole, **changed}


def test_the_services_own_code_ranks_and_what_is_indexed_stays(tmp_path: Path) -> None:
    tried = _try(task(tmp_path / "index"))
    rows = _outcomes(tried["rankings"], NEEDED, "")
    assert rows["both, as it is set"].first.tolist() == [1.0, 1.0]
    assert rows["words, as grounding weighs them"].first.tolist()[1] == 1.0
    assert set(rows) == {
        "dense alone", "words, as grounding weighs them", "meaning, by sentences", "both, as it is set",
        "both, cross-validated",
    }  # fmt: skip
    assert sorted(document for document, _ in tried["passages"]) == sorted(DOCUMENTS)
    assert tried["passages"][0][1].startswith(tried["passages"][0][0] + "\n")
    again = _try(task(tmp_path / "index", documents=[]))
    assert again == tried
    assert outcome([each["fused"][1] for each in again["rankings"]], NEEDED).first[0] == 1.0


def test_a_trial_that_fails_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        _try(task(tmp_path / "index", rescoring="no-such-model"))
    assert "no-such-model" in capsys.readouterr().err
