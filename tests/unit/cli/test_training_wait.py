"""Whoever classifies while the classifiers are being trained waits for them, and nobody else does."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.cli.training_wait import until_trained
from headrace.embedded import state
from headrace.embedded.model_steps import TRAINING
from headrace.embedded.supervisor import State, Status

TRAINS_S = 0.4


def write(data: Path, training: State) -> None:
    parts = [Status("kafka", State.READY), Status(TRAINING, training, note="4 of 8")]
    state.write(data, ready=True, url="", environment={}, statuses=parts)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The data folder of a stack that runs."""
    monkeypatch.setenv("HEADRACE_DATA_DIR", str(tmp_path))
    with state.alone(tmp_path):
        yield tmp_path


def seconds_until_trained(model: str) -> float:
    began = time.monotonic()
    until_trained(model)
    return time.monotonic() - began


@pytest.mark.parametrize("model", ["", "review-sentiment"])
@pytest.mark.parametrize("ending", [State.READY, State.FAILED])
def test_a_trained_model_is_waited_for(
    data: Path, model: str, ending: State, capsys: pytest.CaptureFixture[str]
) -> None:
    write(data, State.STARTING)
    trained = threading.Timer(TRAINS_S, write, (data, ending))
    trained.start()
    assert seconds_until_trained(model) >= TRAINS_S
    trained.join()
    assert "being trained" in capsys.readouterr().err


@pytest.mark.parametrize("model", ["smollm2-135m-instruct", "no-such-model"])
def test_another_model_is_not(data: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    # Waited for, it would be so for ever.
    write(data, State.STARTING)
    until_trained(model)
    assert not capsys.readouterr().err


def test_nobody_waits_where_all_is_trained_or_nothing_runs(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    until_trained("")
    write(data, State.READY)
    until_trained("")
    assert not capsys.readouterr().err
