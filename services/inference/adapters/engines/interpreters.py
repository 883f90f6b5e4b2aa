"""Which Python runs a core: ours, or for vLLM that of an environment of its own, whose libraries differ from ours."""

import importlib.util
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from headrace.messaging.errors import Retryable

VLLM_PYTHON: Final = "HEADRACE_VLLM_PYTHON"
_ROOT: Final = Path(__file__).parents[4]
# Made by `make vllm`.
_MADE: Final = _ROOT / ".venv-vllm" / "bin" / "python"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python, and where it is to look for our modules."""

    python: str
    path: str


def interpreter(core: str) -> Interpreter:
    """The Python for this core; `Retryable` if there is none: it may be installed while the service runs."""
    if core != "vllm" or importlib.util.find_spec("vllm"):
        return Interpreter(sys.executable, os.pathsep.join(filter(None, sys.path)))
    python = os.environ.get(VLLM_PYTHON, "") or str(_MADE)
    if not os.access(python, os.X_OK):
        raise Retryable(
            f"there is no vLLM here ({python} cannot be run): `make vllm` makes an environment for it, "
            f"or {VLLM_PYTHON} names the Python of another"
        )
    # Not our packages: it has its own, in other versions.
    return Interpreter(python, os.pathsep.join((str(_ROOT / "libs"), str(_ROOT))))
