"""`headrace feedback report`: what people said, by model, prompt template and experiment arm."""

from typing import Annotated, Any, Final

import typer
from rich.markup import escape
from rich.table import Table

from headrace.cli.feedback.asking import EXIT_STATUS, Json, Pipeline, Tenant, ask, window
from headrace.cli.output import Exit, fail, out, print_json

EPILOG: Final = f"""`mean` is what answers were worth to those who rated them, from 0 to 1: thumbs 0 or 1, stars by
quarters. `liked` is the share of thumbs that were up, with its 95 % interval (Wilson): two rows whose intervals overlap
have not been told apart.

{EXIT_STATUS}

Examples:

  headrace feedback report

  headrace feedback report --since 7d --pipeline chat

  headrace feedback report --tenant acme --json
"""


def report(
    *,
    since: Annotated[str, typer.Option(help="Answers given since: 7d, yesterday, 2026-11-01.")] = "",
    until: Annotated[str, typer.Option(help="Answers given before.")] = "",
    tenant: Tenant = "",
    pipeline: Pipeline = "",
    as_json: Json = False,
) -> None:
    """Show counts, means and what ratings were about, for each model, prompt template and experiment arm."""
    rows: list[dict[str, Any]] = ask("report", window(tenant=tenant, pipeline=pipeline, since=since, until=until))
    if as_json:
        print_json(rows)
    elif rows:
        out.print(_table(rows))
    if not rows:
        if as_json:
            raise typer.Exit(Exit.FAILED)
        fail("no answer was given there: ask something, or choose another time, tenant or pipeline")


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("model, template, arm")
    for name in ("answers", "ratings", "mean", "liked", "stars"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("said")
    for row in rows:
        table.add_row(
            escape(f"{row['model']}\n{row['template']}, {row['arm']}"),
            f"{row['answers']:,}",
            f"{row['ratings']:,}",
            "" if row["mean"] is None else f"{row['mean']:.2f}",
            _liked(row),
            _stars(row["stars"]),
            escape(_said(row)),
        )
    return table


def _liked(row: dict[str, Any]) -> str:
    liked = row["liked"]
    if liked is None:
        return ""
    thumbs = row["thumbs_up"] + row["thumbs_down"]
    return f"{liked['share']:.0%} of {thumbs:,}\n{liked['low']:.0%} to {liked['high']:.0%}"


def _stars(stars: dict[str, int]) -> str:
    given = sum(stars.values())
    return f"{sum(int(star) * count for star, count in stars.items()) / given:.1f} of {given:,}" if given else ""


def _said(row: dict[str, Any]) -> str:
    said = {"corrections": row["corrections"], "comments": row["comments"], **row["reasons"]}
    return ", ".join(f"{name} {count:,}" for name, count in said.items() if count)
