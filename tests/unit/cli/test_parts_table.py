"""The parts of a stack in a narrow window."""

import io

import pytest
from rich.console import Console

from headrace.cli.parts_table import parts_table
from headrace.embedded.supervisor import State, Status

NOTE = "a download with a long name: 19 of 77 MB\nand what nobody reads"


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_part_keeps_its_name_and_its_line_whatever_it_is_busy_with(width: int) -> None:
    parts = [Status("postprocessing", State.READY, address="http://127.0.0.1:31298"), Status("models", note=NOTE)]
    shown = io.StringIO()
    Console(file=shown, width=width).print(parts_table(parts))
    _head, first, second = shown.getvalue().splitlines()
    assert first.split()[:2] == ["postprocessing", "ready"]
    assert second.split()[:2] == ["models", "waiting"]
    assert "a dow" in second
    assert ("19 of 77 MB" in second) == (width > 100)
