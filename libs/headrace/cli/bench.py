"""`headrace bench`: the figures of the README, measured on this machine."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from headrace.bench.figures import machine, markdown
from headrace.cli.output import Exit, fail, print_json
from headrace.embedded import state
from headrace.runtime.paths import data_dir

if TYPE_CHECKING:
    # psutil, which reads processes, comes with the development extra only.
    from headrace.bench.processes import Footprint

Json = Annotated[bool, typer.Option("--json", help="Print figures as JSON.")]
_EXIT_STATUS: Final = (
    "Exit status: 0 done, 1 it went wrong, 2 the command line is wrong, 3 nothing runs that could answer."
)
_FOOTPRINT: Final = f"""{_EXIT_STATUS}

Examples:

  headrace bench footprint

  headrace bench footprint --questions 12 --concurrency 4 --json
"""
_START: Final = f"""{_EXIT_STATUS}

Examples:

  headrace bench start

  headrace bench start --cold --json
"""


def register(root: typer.Typer) -> None:
    """Add `headrace bench`."""
    bench = typer.Typer(help="Measure the stack on this machine.", no_args_is_help=True)
    bench.command("footprint", epilog=_FOOTPRINT)(footprint)
    bench.command("start", epilog=_START)(start)
    root.add_typer(bench, name="bench")


def footprint(
    *,
    seconds: Annotated[float, typer.Option(min=1, help="How long to watch the idle processes.")] = 10.0,
    count: Annotated[int, typer.Option("--questions", min=1, help="Questions per run.")] = 16,
    concurrency: Annotated[list[int] | None, typer.Option(min=1, help="Questions at a time; may be repeated.")] = None,
    as_json: Json = False,
) -> None:
    """Measure the stack that runs here: memory and idle processor time per part, then the time of answers."""
    if find_spec("psutil") is None:
        fail("psutil is missing, which reads processes: pip install 'headrace[dev]'")
    from headrace.bench.asking import load, questions
    from headrace.bench.processes import footprints

    found = state.read()
    if found is None:
        fail(f"nothing runs in {data_dir()}: start it with `headrace up`, or set HEADRACE_DATA_DIR", Exit.NOT_RUNNING)
    if not found["ready"]:
        fail("not every part is ready: see `headrace status`, and measure when all are", Exit.NOT_RUNNING)
    pids = {part["name"]: part["pid"] for part in found["parts"] if part["pid"]}
    parts = footprints({"supervisor": found["pid"], **pids}, seconds)
    starts = {part["name"]: part["start_seconds"] for part in found["parts"]}
    runs: list[dict[str, Any]] = []
    if url := found["url"]:
        # One question first: what is loaded on demand is loaded, and its time is nobody's.
        asyncio.run(load(url, questions(1), 1))
        runs += [asyncio.run(load(url, questions(count), each)).as_json() for each in concurrency or [1, 8]]
    if as_json:
        figures = [{**asdict(part), "start_seconds": starts.get(part.part)} for part in parts]
        print_json({"machine": machine(), "parts": figures, "answers": runs})
        return
    typer.echo(f"{machine()}; idle over {seconds:.0f} s\n\n{_parts_table(parts, starts)}")
    if runs:
        typer.echo(f"\n{_answers_table(runs)}")


def start(
    *,
    cold: Annotated[bool, typer.Option(help="First with an empty cache: jars and weights are fetched anew.")] = False,
    timeout_s: Annotated[float, typer.Option("--timeout", min=1, help="Seconds for one start.")] = 900.0,
    as_json: Json = False,
) -> None:
    """Start a stack with data of its own, ask one question, stop it; print what each took."""
    from headrace.bench.starting import start as measured

    if state.read() is not None:
        fail("a stack runs here and would be measured along: stop it first, or use another HEADRACE_DATA_DIR")
    runs = [asyncio.run(measured(cold=each, timeout_s=timeout_s)) for each in ([True, False] if cold else [False])]
    if as_json:
        print_json({"machine": machine(), "starts": [asdict(run) for run in runs]})
        return
    typer.echo(f"{machine()}\n")
    rows = [
        (
            "cold" if run.cold else "warm",
            f"{run.ready_seconds:.1f}",
            f"{run.first_answer_seconds:.1f}",
            f"{run.stop_seconds:.1f}",
        )
        for run in runs
    ]
    typer.echo(markdown(("start", "ready s", "first answer s", "stop s"), rows))


def _parts_table(parts: "Sequence[Footprint]", starts: Mapping[str, float | None]) -> str:
    rows = [
        (each.part, str(each.processes), each.rss_bytes, each.cpu_percent, _figure(starts.get(each.part), 1))
        for each in parts
    ]
    processes = sum(each.processes for each in parts)
    rows.append(("all", str(processes), sum(each[2] for each in rows), sum(each[3] for each in rows), ""))
    shown = [(part, count, f"{rss / 1e6:.0f}", f"{cpu:.1f}", begun) for part, count, rss, cpu, begun in rows]
    return markdown(("part", "processes", "RSS MB", "idle CPU %", "start s"), shown)


def _answers_table(runs: list[dict[str, Any]]) -> str:
    headings = ("questions at a time", "first token p50 ms", "p95", "done p50 ms", "p95", "tokens/s", "answered")
    return markdown(headings, [_answers_row(run) for run in runs])


def _answers_row(run: dict[str, Any]) -> tuple[str, ...]:
    times = [run[name][percent] for name in ("first_token_ms", "done_ms") for percent in ("p50", "p95")]
    answered = f"{run['outcomes'].get('answered', 0)} of {run['questions']}"
    shown = (_figure(time, 0) for time in times)
    return (str(run["concurrency"]), *shown, _figure(run["tokens_per_second"], 0), answered)


def _figure(value: float | None, digits: int) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.{digits}f}"
