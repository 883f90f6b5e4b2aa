"""The class of an error says what happens next.

HeadraceError
├── Retryable    try again: in place with backoff, then by the retry topic, then a dead letter
├── Invalid      never try again: a dead letter now, or an answer that names the field
│   └── Undecodable    the bytes are no message: a dead letter with the raw bytes
├── CrashLoop    process after process ended while it worked on this: a dead letter, before the next one does
├── Fenced       the work belongs to another member now: drop it, nothing of it counts
└── Fatal        stop the service: it cannot do its work, and every message would fail alike
    └── Unreachable    nobody answers who could do it: a command ends with status 3
"""


class HeadraceError(Exception):
    """Base of every error that the runtime acts upon."""


class Retryable(HeadraceError):  # noqa: N818 - the field's word, as in "a retryable error"
    """It may well work later; `retry_after_ms` is what the failing side asked for, if it did."""

    def __init__(self, message: str, *, retry_after_ms: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_ms = retry_after_ms


class Invalid(HeadraceError):  # noqa: N818 - the field's word
    """It will never work: `code` is stable snake_case, `field` names the culprit, the message limit and remedy."""

    def __init__(self, message: str, *, code: str = "invalid", field: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.field = field


class Undecodable(Invalid):
    """The bytes are not a message of the expected type."""

    def __init__(self, message: str, *, field: str = "value") -> None:
        super().__init__(message, code="undecodable", field=field)


class CrashLoop(HeadraceError):  # noqa: N818 - the field's word
    """Work on it was begun by one process after the other, and none lived to see its end."""


class Fenced(HeadraceError):  # noqa: N818 - the field's word
    """The record's partition is not ours, or nobody can say whether it is; whoever holds it does the work."""


class Fatal(HeadraceError):  # noqa: N818 - the field's word
    """The service cannot go on; the supervisor restarts it with backoff."""


class Unreachable(Fatal):
    """Nobody answers at the address, or nobody who speaks the protocol."""
