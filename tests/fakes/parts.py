"""A part for the supervisor whose process does what a test wants."""

import sys
from pathlib import Path

from headrace.embedded.process import ChildProcess


class ScriptedPart:
    """Runs a Python script; ready when it has said "up". `scripts` are used in turn, the last for ever."""

    def __init__(self, name: str, folder: Path, *scripts: str, journal: list[str]) -> None:
        self.name = name
        self.address = f"scripted:{name}"
        self.process: ChildProcess | None = None
        self._log = folder / f"{name}.log"
        self._scripts = list(scripts)
        self._journal = journal

    async def start(self) -> None:
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        self._journal.append(f"start {self.name}")
        self.process = ChildProcess(self.name, [sys.executable, "-c", script], log=self._log)
        self.process.start()
        await self.process.ready(self._spoke, seconds=30)
        self._journal.append(f"ready {self.name}")

    async def stop(self) -> None:
        self._journal.append(f"stop {self.name}")
        if self.process:
            await self.process.stop(seconds=5)

    async def _spoke(self) -> bool:
        return self.process is not None and "up" in self.process.tail()
