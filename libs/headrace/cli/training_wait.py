"""Waiting, where it shows, for the classifiers that a stack trains on this machine when it first runs."""

import time
from typing import Any, Final

from rich.markup import escape

from headrace.cli.output import err
from headrace.embedded import state
from headrace.embedded.model_steps import TRAINING
from headrace.embedded.supervisor import State
from headrace.messaging.errors import HeadraceError
from headrace.models.registry import load_registry
from headrace.models.spec import TrainedSource
from headrace.runtime.paths import infra_dir

_LOOK_SECONDS: Final = 0.5
_AT_WORK: Final = frozenset({State.WAITING, State.STARTING})


def until_trained(model: str) -> None:
    """Return once the stack here has trained its classifiers, at once where the model named is none of them.

    Where the training failed the model's own replica tries it again, and says why it cannot.
    """
    if not _at_work() or (model and not _is_trained(model)):
        return
    said = "the classifiers are being trained on this machine, once; `headrace status` shows it, too"
    if not err.is_terminal:
        err.print(said, soft_wrap=True)
    with err.status(said) as shown:
        while part := _at_work():
            shown.update(f"{said}: {escape(part['note'])}" if part["note"] else said)
            time.sleep(_LOOK_SECONDS)


def _at_work() -> dict[str, Any] | None:
    parts = (state.read() or {}).get("parts", [])
    return next((part for part in parts if part["name"] == TRAINING and part["state"] in _AT_WORK), None)


def _is_trained(model: str) -> bool:
    try:
        return isinstance(load_registry(infra_dir() / "models").get(model).source, TrainedSource)
    except HeadraceError:
        return False
