"""What the units of a long run have reported, kept in files so that a run that was cut off goes on."""

import json
import shutil
import subprocess
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.chaos.attack import Report


@dataclass(frozen=True, slots=True)
class Kept:
    """A unit's report, how long it took, and the day and the commit that it was run on."""

    report: Report
    seconds: float
    ran: str


class KeptReports:
    """A file a unit; without a folder nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def find(self, attack: int, unit: str) -> Kept | None:
        """What the unit reported, if it was run. One that found a violation is not run again: it has spoken."""
        path = self._path(attack, unit)
        if path is None or not path.exists():
            return None
        content = json.loads(path.read_text(encoding="utf-8"))
        said = content["report"]
        report = Report(said["done"], said["figures"], tuple(said["violations"]))
        return Kept(report, content["seconds"], content["ran"])

    def keep(self, attack: int, unit: str, report: Report, seconds: float) -> Kept:
        """Keep a report."""
        kept = Kept(report, seconds, ran=f"{datetime.now(UTC):%Y-%m-%d} {_commit()}")
        path = self._path(attack, unit)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            whole = path.with_suffix(".part")
            whole.write_text(json.dumps(asdict(kept), indent=2), encoding="utf-8")
            whole.replace(path)
        return kept

    def forget(self) -> None:
        """Begin anew."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, attack: int, unit: str) -> Path | None:
        return self._folder / f"{attack:02}-{unit.replace('/', '_')}.json" if self._folder else None


def _commit() -> str:
    """Short, with a plus sign where files differ from it: units of one table may come from different days."""
    asked = ["git", "describe", "--always", "--exclude=*", "--dirty=+"]
    try:
        return subprocess.run(asked, capture_output=True, check=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "outside of git"
