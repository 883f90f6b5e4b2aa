from pathlib import Path

import orjson
import pytest
import typer
from typer.testing import CliRunner

from headrace.cli import trace
from headrace.telemetry.store import SpanStore, store_path
from headrace.telemetry.waterfall import arrange
from tests.fakes.trace import TRACE, TURN, chat_trace


@pytest.fixture
def cli() -> typer.Typer:
    root = typer.Typer()
    root.callback()(lambda: None)
    trace.register(root)
    return root


@pytest.fixture
def traced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "100")
    store = SpanStore(store_path())
    store.write(chat_trace())
    store.close()


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("key", [TURN, TRACE, "last"])
def test_a_turn_is_shown_as_a_waterfall(cli: typer.Typer, key: str) -> None:
    shown = CliRunner().invoke(cli, ["trace", key])
    assert shown.exit_code == 0
    assert TURN in shown.stdout
    assert "400.0 ms over 7 services" in shown.stdout
    lines = shown.stdout.splitlines()
    grounding = next(line for line in lines if "grounding grounding" in line)
    assert grounding.split()[2:4] == ["3.0", "20.0"]
    assert all(len(line) <= 100 for line in lines)


def test_what_is_no_span_store_is_named(cli: typer.Typer, tmp_path: Path) -> None:
    (tmp_path / "junk.csv").write_text("a,b\n" * 500, encoding="utf-8")
    for store in (tmp_path / "junk.csv", tmp_path):
        shown = CliRunner().invoke(cli, ["trace", "last", "--store", str(store)])
        assert shown.exit_code == 1
        assert "is no span store" in shown.stderr


@pytest.mark.usefixtures("traced")
def test_the_same_is_there_as_json(cli: typer.Typer) -> None:
    data = orjson.loads(CliRunner().invoke(cli, ["trace", TURN, "--json"]).stdout)
    assert data["total_ms"] == pytest.approx(400.0)
    assert len(data["spans"]) == len(chat_trace())


@pytest.mark.usefixtures("traced")
def test_an_unknown_turn_is_answered_with_what_to_do(cli: typer.Typer) -> None:
    shown = CliRunner().invoke(cli, ["trace", "nobody"])
    assert shown.exit_code == 1
    assert "No trace of nobody" in shown.stderr
    assert "HEADRACE_DATA_DIR" in shown.stderr


def test_a_store_that_is_not_there_is_answered_with_what_to_do(
    cli: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_DATA_DIR", str(tmp_path / "nowhere"))
    shown = CliRunner().invoke(cli, ["trace"])
    assert shown.exit_code == 1
    assert "headrace up" in shown.stderr


@pytest.mark.parametrize("width", [20, 40])
def test_a_bar_fits_and_every_span_is_seen(width: int) -> None:
    waterfall = arrange(chat_trace())
    for line in waterfall.lines:
        drawn = trace.bar(line, waterfall.total_ms, width).plain
        assert "█" in drawn
        assert len(drawn) <= width


def test_time_in_the_queue_is_drawn_apart() -> None:
    waterfall = arrange([line.span for line in arrange(chat_trace()).lines if line.span.name == "process grounding"])
    drawn = trace.bar(waterfall.lines[0], waterfall.total_ms, 23).plain
    assert drawn == "░" * 3 + "█" * 20
