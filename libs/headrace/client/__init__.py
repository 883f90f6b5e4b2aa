"""Headrace from a program: `Client` and `AsyncClient` ask, stream, classify and rate.

    from headrace.client import Client

    with Client("http://127.0.0.1:8080") as client:
        answer = client.ask("What is the capital of France?")
        print(answer.text)
        client.feedback(answer.turn_id, 1)

Errors are of three classes: `Invalid` (ask differently: `field` and the message say how), `Retryable` (ask again,
`retry_after_ms` says when), `Fatal` (nothing answers there).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from headrace.client.answers import Answer, Citation, Event, Notice, Restarted, Sampling, Text
    from headrace.client.asynchronous import AsyncClient
    from headrace.client.blocking import Client
    from headrace.client.classified import Classified
    from headrace.messaging.errors import Fatal, HeadraceError, Invalid, Retryable

__all__ = [
    "Answer",
    "AsyncClient",
    "Citation",
    "Classified",
    "Client",
    "Event",
    "Fatal",
    "HeadraceError",
    "Invalid",
    "Notice",
    "Restarted",
    "Retryable",
    "Sampling",
    "Text",
]

_ANSWERS: Final = "headrace.client.answers"
_ERRORS: Final = "headrace.messaging.errors"
# Imported when they are first used: a command that only reads files needs no websockets and no Kafka client.
_HOMES: Final = {
    "Answer": _ANSWERS,
    "Citation": _ANSWERS,
    "Event": _ANSWERS,
    "Notice": _ANSWERS,
    "Restarted": _ANSWERS,
    "Sampling": _ANSWERS,
    "Text": _ANSWERS,
    "AsyncClient": "headrace.client.asynchronous",
    "Client": "headrace.client.blocking",
    "Classified": "headrace.client.classified",
    "Fatal": _ERRORS,
    "HeadraceError": _ERRORS,
    "Invalid": _ERRORS,
    "Retryable": _ERRORS,
}


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
