import os
import sys
from pathlib import Path

import pytest

from headrace.messaging.errors import Retryable
from services.inference.adapters.engines import interpreters
from services.inference.adapters.engines.interpreters import VLLM_PYTHON, interpreter


def test_our_own_python_runs_what_needs_nothing_else() -> None:
    assert interpreter("openvino").python == sys.executable


def test_vllm_has_a_python_of_its_own_and_none_of_our_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "python"
    python.touch(mode=0o755)
    monkeypatch.setenv(VLLM_PYTHON, str(python))
    chosen = interpreter("vllm")
    assert chosen.python == str(python)
    assert [Path(place).name for place in chosen.path.split(os.pathsep)] == ["libs", Path(__file__).parents[4].name]


def test_without_vllm_it_is_said_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VLLM_PYTHON, raising=False)
    monkeypatch.setattr(interpreters, "_MADE", tmp_path / "python")
    with pytest.raises(Retryable, match="`make vllm` makes an environment for it"):
        interpreter("vllm")
