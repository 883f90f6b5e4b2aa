"""`headrace trace`: where the milliseconds of a turn went, as a waterfall in the terminal."""

import sqlite3
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table
from rich.text import Text

from headrace.cli.output import fail, out, print_json
from headrace.telemetry import attributes
from headrace.telemetry.spans import SpanRow
from headrace.telemetry.store import latest_turn, read_trace, store_path
from headrace.telemetry.waterfall import Line, Waterfall, arrange

_SERVICE_STYLES: Final = {
    "gateway": "cyan",
    "preprocessing": "blue",
    "grounding": "green",
    "safety": "yellow",
    "inference": "magenta",
    "postprocessing": "bright_blue",
    "feedback": "bright_green",
}
_NARROWEST_BAR: Final = 10
_LAST: Final = "last"
_EPILOG: Final = """Exit status: 0 done, 1 there is no such trace.

Examples:

  headrace trace                                         the turn that began last

  headrace trace 0b5e9c1e-6f2b-4c6e-9a53-2f1a4d6f7b10    a turn by its id, or a trace by its own

  headrace trace last --json
"""


def register(root: typer.Typer) -> None:
    """Add `headrace trace`."""
    root.command("trace", epilog=_EPILOG)(trace_command)


def trace_command(
    turn: Annotated[str, typer.Argument(help="A turn id, a trace id, or `last` for the turn that began last.")] = _LAST,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the spans as JSON.")] = False,
    store: Annotated[Path | None, typer.Option(help="A span store other than this data directory's.")] = None,
) -> None:
    """Show where the time of a turn went: waiting in a queue apart from work, stage by stage."""
    path = store or store_path()
    try:
        key = (latest_turn(path) if turn == _LAST else turn) or turn
        spans = read_trace(path, key)
    except sqlite3.Error as exc:
        fail(f"{path} is no span store ({exc}): name one that `headrace up` has written, traces.sqlite")
    if not spans:
        fail(_unknown(turn, path))
    waterfall = arrange(spans)
    if as_json:
        print_json(waterfall.as_json())
        return
    out.print(summary(key, waterfall))
    out.print(table(waterfall, out.width))
    out.print(notes(waterfall))


def summary(key: str, waterfall: Waterfall) -> Text:
    """Name the turn, its trace and how long all of it took."""
    traces = sorted({line.span.trace_id for line in waterfall.lines})
    services = {line.span.service for line in waterfall.lines}
    return Text.assemble(
        ("turn ", "dim"),
        (_turn_of(waterfall) or key, "bold"),
        (f"\ntrace {', '.join(traces)}", "dim"),
        f"\n{waterfall.total_ms:.1f} ms over {len(services)} services; ",
        ("░", "dim"),
        " waits in a queue, █ works\n",
    )


def table(waterfall: Waterfall, width: int) -> Table:
    """Draw the tree, its times and its bars, to fit a terminal of this width."""
    grid = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    names = [_name(line) for line in waterfall.lines]
    times = len("queue ms") + len("work ms") + 3
    room = width - times - _NARROWEST_BAR
    longest = min(max(name.cell_len for name in names), room)
    grid.add_column("span", no_wrap=True, overflow="ellipsis", width=longest)
    grid.add_column("queue ms", justify="right", no_wrap=True)
    grid.add_column("work ms", justify="right", no_wrap=True)
    grid.add_column("", no_wrap=True)
    bar_width = width - times - longest
    for line, name in zip(waterfall.lines, names, strict=True):
        queue = f"{line.queue_ms:.1f}" if line.queue_ms else ""
        grid.add_row(name, queue, f"{line.work_ms:.1f}", bar(line, waterfall.total_ms, bar_width))
    return grid


def notes(waterfall: Waterfall) -> Text:
    """Say what the times do not: tokens of a model call, an early end, an error."""
    told = Text()
    for line in waterfall.lines:
        if details := _details(line.span):
            told.append(f"\n{line.span.service}", _style(line.span))
            told.append(f" {line.span.name}: {details}")
        if line.span.status == "error":
            error = line.span.message or line.span.attributes.get(attributes.ERROR_TYPE, "failed")
            told.append(f"\n{line.span.service} {line.span.name}: {error}", "red")
    return told


def bar(line: Line, total_ms: float, width: int) -> Text:
    """Draw when the span waited and worked within the whole turn; what took any time at all is seen."""
    scale = width / total_ms if total_ms else 0.0
    begin = min(width - 1, round(line.offset_ms * scale))
    work = min(width - 1, round((line.offset_ms + line.queue_ms) * scale))
    end = max(work + 1, round(line.end_ms * scale))
    return Text.assemble(" " * begin, ("░" * (work - begin), "dim"), ("█" * (end - work), _style(line.span)))


def _name(line: Line) -> Text:
    return Text.assemble(
        " " * line.depth, (line.span.service, _style(line.span)), f" {line.span.name.removeprefix('process ')}"
    )


def _style(span: SpanRow) -> str:
    return "red" if span.status == "error" else _SERVICE_STYLES.get(span.service, "white")


def _details(span: SpanRow) -> str:
    """Say of a model call what it read, wrote and how soon; of a turn that ended early, how."""
    facts = []
    if (read := span.attributes.get(attributes.GEN_AI_INPUT_TOKENS)) is not None:
        facts.append(f"{read} → {span.attributes.get(attributes.GEN_AI_OUTPUT_TOKENS, 0)} tokens")
    if (first := span.attributes.get(attributes.GEN_AI_TIME_TO_FIRST_TOKEN)) is not None:
        facts.append(f"first after {float(first) * 1000:.0f} ms")
    if span.attributes.get(attributes.CACHED):
        facts.append("cached")
    if (outcome := span.attributes.get(attributes.OUTCOME)) not in {None, "completed"}:
        facts.append(str(outcome))
    if int(span.attributes.get(attributes.DELIVERY_ATTEMPT, 1)) > 1:
        facts.append(f"delivery {span.attributes[attributes.DELIVERY_ATTEMPT]}")
    return ", ".join(facts)


def _turn_of(waterfall: Waterfall) -> str:
    found = (line.span.attributes.get(attributes.TURN_ID) for line in waterfall.lines)
    return next((str(turn) for turn in found if turn), "")


def _unknown(turn: str, path: Path) -> str:
    if not path.exists():
        return (
            f"There are no traces yet: {path} does not exist. Start `headrace up` in this directory, or "
            "set HEADRACE_DATA_DIR to the data directory that it runs with."
        )
    if turn == _LAST:
        return f"No turn has been traced in {path} yet: ask something first."
    return (
        f"No trace of {turn} in {path}. Check the id (`done` carries it as `id`), and that "
        "HEADRACE_DATA_DIR is the one that the services run with; old traces make room for new ones. With "
        "HEADRACE_OTLP_ENDPOINT set, spans are at that collector: HEADRACE_SPAN_STORE=on keeps them here as well."
    )
