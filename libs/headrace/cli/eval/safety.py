"""`headrace eval safety`: recall and false alarms of the policies as they stand, on public data."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Final

import typer
from rich.table import Table

from headrace.cli.eval.safety_sets.costs import Cost, costs
from headrace.cli.eval.safety_sets.row import Row
from headrace.cli.eval.safety_sets.rows import PARTS
from headrace.cli.output import Exit, fail, out, print_figures, print_json
from headrace.messaging.errors import HeadraceError

_COST: Final = "cost"
EPILOG: Final = """Everything is measured through the policies `default` and `confidential` as they stand, in the way in
which the service judges. "alone" is the baseline: a list of phrases for injections, patterns and check digits for
personal data, randomness for keys, shared words for groundedness. Intervals are 95 %, after Wilson.

Exit status: 0 done, 1 it went wrong, 2 the command line is wrong.

Examples:

  headrace eval safety

  headrace eval safety --only documents --only secrets --json
"""


def eval_safety(
    *,
    only: Annotated[
        list[str] | None, typer.Option(help=f"One of {', '.join((*PARTS, _COST))}; may be repeated.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure injection, personal data, secrets and groundedness on public data, with a baseline beside each."""
    if unknown := [name for name in only or () if name not in {*PARTS, _COST}]:
        fail(f"no part is called {unknown[0]!r}: use {', '.join((*PARTS, _COST))}", Exit.USAGE)
    rows: list[Row] = []
    spent: list[Cost] = []
    try:
        for name in only or (*PARTS, _COST):
            with out.status(f"{name}…"):
                if name == _COST:
                    spent = costs()
                else:
                    rows += PARTS[name]()
    except HeadraceError as exc:
        fail(str(exc))
    if as_json:
        print_json({"figures": [row.facts() for row in rows], "costs": [asdict(cost) for cost in spent]})
        return
    if rows:
        print_figures(_table(rows))
    if spent:
        print_figures(_costs(spent))


def _table(rows: Sequence[Row]) -> Table:
    table = Table(box=None)
    for column in ("what", "set", "cases", "figure", "95 %", "wanted", "", "alone"):
        table.add_column(column, justify="left" if column in {"what", "set", ""} else "right", no_wrap=True)
    for row in rows:
        low, high = row.share.interval
        wanted = "" if row.wanted is None else f"{'≥' if row.higher else '≤'} {row.wanted:.2f}"
        mark = "" if row.wanted is None else "reached" if row.reached else "[red]missed[/]"
        alone = "" if row.baseline is None else f"{row.baseline.value:.3f}"
        shown = (f"{row.share.cases:,}", f"{row.share.value:.3f}", f"{low:.3f}-{high:.3f}", wanted, mark, alone)
        table.add_row(row.what, row.data, *shown)
    return table


def _costs(spent: Sequence[Cost]) -> Table:
    table = Table(box=None)
    for column in ("policy", "judged", "cases", "characters", "median ms", "p95 ms"):
        table.add_column(column, justify="left" if column in {"policy", "judged"} else "right", no_wrap=True)
    for cost in spent:
        times = (f"{cost.median_ms:.1f}", f"{cost.p95_ms:.1f}")
        table.add_row(cost.policy, cost.what, f"{cost.cases}", f"{cost.mean_chars:,}", *times)
    return table
