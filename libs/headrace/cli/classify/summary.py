"""What became of the rows, for people and for scripts."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

# So many rows that failed are named on the terminal; the output names all.
_NAMED: Final = 20


@dataclass(slots=True)
class Tally:
    """Classes, failures, and how long this run took for those that it did itself."""

    labels: Counter[str] = field(default_factory=Counter)
    failed: list[tuple[int, str]] = field(default_factory=list)
    # Rows that an earlier run had done.
    before: int = 0
    seconds: float = 0.0

    @property
    def rows(self) -> int:
        """All of them."""
        return self.labels.total() + len(self.failed)

    @property
    def per_second(self) -> float:
        """Rows of this run a second."""
        return (self.rows - self.before) / self.seconds if self.seconds else 0.0

    def count(self, line: int, result: Mapping[str, Any]) -> None:
        """Take one row's result in."""
        if (error := result.get("error")) is not None:
            self.failed.append((line, error["message"] or error["code"]))
        else:
            self.labels[result["label"]] += 1

    def as_json(self, output: Path) -> dict[str, Any]:
        """The summary for scripts."""
        return {
            "rows": self.rows,
            "labels": dict(self.labels.most_common()),
            "failed": [{"line": line, "message": reason} for line, reason in sorted(self.failed)],
            "done_before": self.before,
            "seconds": round(self.seconds, 3),
            "per_second": round(self.per_second, 3),
            "output": str(output),
        }

    def table(self, output: Path) -> Table:
        """The summary for people."""
        table = Table(title=f"{self.rows:,} rows into {output}", title_justify="left")
        table.add_column("class")
        table.add_column("rows", justify="right")
        table.add_column("share", justify="right")
        for label, rows in self.labels.most_common():
            table.add_row(escape(label), f"{rows:,}", f"{rows / self.rows:.0%}")
        if self.failed:
            table.add_row("[yellow]error[/]", f"{len(self.failed):,}", f"{len(self.failed) / self.rows:.0%}")
        earlier = f", {self.before:,} of them by an earlier run" if self.before else ""
        table.caption = f"{self.seconds:.1f} s, {self.per_second:.1f} rows/s{earlier}"
        return table

    def name_failures(self, to: Console, output: Path) -> None:
        """The first rows that failed, by their lines."""
        for line, reason in sorted(self.failed)[:_NAMED]:
            to.print(f"[yellow]line {line}[/]: {escape(reason)}", soft_wrap=True)
        if (more := len(self.failed) - _NAMED) > 0:
            to.print(f"and {more:,} more; {escape(str(output))} names them all", soft_wrap=True)
