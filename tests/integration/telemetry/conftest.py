"""What a process that traces needs to know."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a service whose data lies in `tmp_path`."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("HEADRACE_", "OTEL_"))}
    path = os.pathsep.join([str(ROOT / "libs"), str(ROOT)])
    return {**inherited, "HEADRACE_DATA_DIR": str(tmp_path), "PYTHONPATH": path, "PYTHONWARNINGS": "error"}
