"""`headrace eval retrieval`: whether a question finds the documents that answer it."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from headrace.cli.eval.public_data import fetched
from headrace.cli.eval.rankings import Estimate, Outcome, cross_validated, estimate, outcome, ratio, reachable
from headrace.cli.output import err, fail, print_figures, print_json
from headrace.models.spec import PypiSource
from headrace.runtime.paths import cache_dir

_TRIAL: Final = "services.grounding.adapters.trial"
_BANKING: Final = "inspect_evals/tau2/data/domains/banking_knowledge"
# MIT. tau2-bench (Barres et al. 2025): a bank's articles, many of them alike, and customers who need some of them.
_DATA: Final = PypiSource.model_validate(
    {
        "type": "pypi",
        "wheels": [
            {
                "package": "inspect-evals",
                "version": "0.26.0",
                "sha256": "b76d15813182807da141a0f06bb6f18a5f82d1f06291ec2633bb84cdf661f8d0",
            }
        ],
        "files": [{"path": name, "members": [f"{_BANKING}/{name}"]} for name in ("documents.json.gz", "tasks.json")],
    }
)
_BARE: Final = "BM25 alone (bm25s)"
_MEANING: Final = "dense alone"
# The first is what the service does where nobody says otherwise.
_WEIGHTS: Final = [
    {"meaning": meaning, "support": support}
    for support in (0.3, 0.0)
    for meaning in ((0.5, 0.3, 0.4, 0.6, 0.7) if support else (0.3, 0.4, 0.5, 0.6, 0.7))
]
_EPILOG: Final = """The documents are the 698 articles of a bank, the questions what 97 customers want; each needs one
or more of the articles. recall@5 is the share of them among the first five documents, hit@1 whether the first is one.

Nothing was trained on them. The weights were tried out on these very questions, so the rows that say "cross-validated"
are the ones that count: there no question is ranked by weights that it took part in choosing.

The first run embeds the articles, which takes minutes; with --rescoring a quarter of an hour. Both are kept.

Exit status: 0 done, 1 it went wrong, 2 the command line is wrong.

Examples:

  headrace eval retrieval

  headrace eval retrieval --rescoring all-mpnet-base-v2 --json
"""


def register(group: typer.Typer) -> None:
    """Add `headrace eval retrieval`."""
    group.command("retrieval", epilog=_EPILOG)(retrieval)


def retrieval(
    *,
    rescoring: Annotated[str, typer.Option(help="The stronger encoder, such as all-mpnet-base-v2.")] = "",
    threads: Annotated[int, typer.Option(min=1, help="Cores for the encoders.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Measure how well documents are found, against meaning alone and words alone."""
    folder = fetched("tau2-banking", _DATA)
    documents = json.loads(gzip.decompress((folder / "documents.json.gz").read_bytes()))
    there = {each["id"] for each in documents}
    scenarios = json.loads((folder / "tasks.json").read_text("utf-8"))
    needed = [there & set(each["required_documents"]) for each in scenarios]
    questions: list[str] = [each["user_scenario"]["instructions"] for each in scenarios]
    task = {
        "folder": str(cache_dir() / "eval" / f"retrieval{'-' * bool(rescoring)}{rescoring}"),
        "rescoring": rescoring,
        "threads": threads,
        "weights": _WEIGHTS,
        "documents": [{name: each[name] for name in ("id", "title", "content")} for each in documents],
        "questions": questions,
    }
    try:
        from headrace.cli.eval.bare import bm25
    except ImportError as exc:
        fail(f"{exc.name} is not installed, and the baseline needs it: pip install 'headrace[eval]'")
    tried = _try(task)
    bare = bm25(tried["passages"], questions)
    rows = {_BARE: outcome(bare, needed)} | _outcomes(tried["rankings"], needed, rescoring)
    base = max((rows[_BARE], rows[_MEANING]), key=lambda row: float(row.recall.mean()))
    figures = {name: _figures(row, base) for name, row in rows.items()}
    if as_json:
        sizes = {"documents": len(documents), "questions": len(needed), "reachable_recall": reachable(needed)}
        print_json({**sizes, "rows": {name: {k: asdict(v) for k, v in row.items()} for name, row in figures.items()}})
    else:
        print_figures(_table(figures, len(documents), needed))


def _try(task: dict[str, Any]) -> dict[str, Any]:
    """Have the service's own code rank, in its own process; its progress is shown as it comes."""
    Path(task["folder"]).parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    last = ""
    # Files, since a pipe that nobody reads yet would hold up whoever writes.
    with TemporaryFile("w+", encoding="utf-8") as asked, TemporaryFile("w+", encoding="utf-8") as answered:
        json.dump(task, asked)
        asked.seek(0)
        with (
            err.status("Starting…") as status,
            subprocess.Popen(
                [sys.executable, "-m", _TRIAL],
                stdin=asked, stdout=answered, stderr=subprocess.PIPE, text=True, env=environment,
            ) as trial,
        ):  # fmt: skip
            for line in trial.stderr or ():
                last = line.strip() or last
                status.update(last)
        if trial.returncode:
            fail(f"the trial ended with status {trial.returncode}: {last}")
        answered.seek(0)
        reply: dict[str, Any] = json.load(answered)
    return reply


def _outcomes(rankings: Sequence[dict[str, Any]], needed: Sequence[set[str]], rescoring: str) -> dict[str, Outcome]:
    rows = {
        _MEANING: outcome([each["meaning"] for each in rankings], needed),
        "words, as grounding weighs them": outcome([each["words"] for each in rankings], needed),
        "meaning, by sentences": outcome([each["windows"] for each in rankings], needed),
    }
    for kind, label in (("fused", "both, as it is set"), ("strong", f"re-scored by {rescoring}")):
        weighed = range(len(rankings[0][kind]))
        grid = [outcome([each[kind][place] for each in rankings], needed) for place in weighed]
        if grid:
            rows |= {label: grid[0], f"{label.partition(',')[0]}, cross-validated": cross_validated(grid)}
    return rows


def _figures(row: Outcome, base: Outcome) -> dict[str, Estimate]:
    return {
        "recall_at_5": estimate(row.recall),
        "hit_at_1": estimate(row.first),
        "recall_times_baseline": ratio(row.recall, base.recall),
    }


def _table(figures: dict[str, dict[str, Estimate]], documents: int, needed: Sequence[set[str]]) -> Table:
    table = Table(
        title=f"{documents} articles, {len(needed)} questions; with 95 % intervals over the questions",
        title_justify="left",
        caption=f"five documents can reach a recall of {reachable(needed):.3f}; the baseline is the better of BM25 "
        "and dense alone",
    )
    for column in ("", "recall@5", "hit@1", "x baseline"):
        table.add_column(column, justify="right" if column else "left")
    for name, row in figures.items():
        table.add_row(name, *(f"{each.value:.3f} ({each.low:.2f} to {each.high:.2f})" for each in row.values()))
    return table
