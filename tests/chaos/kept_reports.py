"""What the units of a long run have reported, kept in files so that a run that was cut off goes on."""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.chaos.attack import Report


@dataclass(frozen=True, slots=True)
class Kept:
    """A unit's report and how long it took."""

    report: Report
    seconds: float


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
        report = Report(content["done"], content["figures"], tuple(content["violations"]))
        return Kept(report, content["seconds"])

    def keep(self, attack: int, unit: str, report: Report, seconds: float) -> Kept:
        """Keep a report."""
        path = self._path(attack, unit)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            whole = path.with_suffix(".part")
            whole.write_text(json.dumps({**asdict(report), "seconds": seconds}, indent=2), encoding="utf-8")
            whole.replace(path)
        return Kept(report, seconds)

    def forget(self) -> None:
        """Begin anew."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, attack: int, unit: str) -> Path | None:
        return self._folder / f"{attack:02}-{unit.replace('/', '_')}.json" if self._folder else None
