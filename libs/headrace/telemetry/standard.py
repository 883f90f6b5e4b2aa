"""Brings what aiokafka, FastStream, uvicorn and Ray say through `logging` into the one stream of log lines."""

import logging
import sys
import time
from dataclasses import dataclass, field
from typing import Final

import structlog

# A broker that is down makes aiokafka say so several times a second for as long as it lasts.
_QUIET_SECONDS: Final = 10.0
_REMEMBERED: Final = 512


@dataclass(slots=True)
class Repeats:
    """Decides which of many equal warnings is told: the first, then one per `quiet_seconds` with the count left out."""

    quiet_seconds: float
    _told: dict[object, tuple[float, int]] = field(default_factory=dict)

    def left_out(self, what: object, now: float) -> int | None:
        """Return how many equal ones were left out since the last that was told, or None to leave this one out too."""
        since, count = self._told.get(what, (float("-inf"), 0))
        if now - since < self.quiet_seconds:
            self._told[what] = (since, count + 1)
            return None
        if len(self._told) >= _REMEMBERED:
            self._told.clear()
        self._told[what] = (now, 0)
        return count


class IntoStructlog(logging.Handler):
    """Hands a record of `logging` to structlog, under the name of the library that spoke."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self._repeats = Repeats(_QUIET_SECONDS)

    def emit(self, record: logging.LogRecord) -> None:
        """Log the record, unless it says again what was just said."""
        repeated = self._repeats.left_out((record.name, record.levelno, record.msg), time.monotonic())
        if repeated is None:
            return
        facts: dict[str, object] = {"logger": record.name}
        if repeated:
            facts["repeated"] = repeated
        if record.exc_info:
            facts["exc_info"] = record.exc_info
        try:
            # Bound to a message without arguments: a per cent sign in it must not be formatted again.
            structlog.get_logger().log(record.levelno, record.getMessage(), **facts)
        except Exception:  # noqa: BLE001 - by the rule of `logging.Handler`: logging never fails its caller
            self.handleError(record)


def adopt_standard_logging(level: int) -> None:
    """Take over the root logger and every logger that writes to the console by itself.

    Call it again after importing a library that sets up logging on import (Ray does). Others are heard from warnings
    up, at debug level from their information up: their details are about themselves.
    """
    heard = logging.INFO if level <= logging.DEBUG else max(level, logging.WARNING)
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if isinstance(handler, IntoStructlog) or _writes_to_console(handler):
            root.removeHandler(handler)
    root.addHandler(IntoStructlog(heard))
    root.setLevel(heard)
    for name in list(logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        own = [handler for handler in logger.handlers if _writes_to_console(handler)]
        for handler in own:
            logger.removeHandler(handler)
        if own:
            logger.propagate = True
    logging.captureWarnings(capture=True)


def _writes_to_console(handler: logging.Handler) -> bool:
    if not isinstance(handler, logging.StreamHandler) or isinstance(handler, logging.FileHandler):
        return False
    stream = getattr(handler, "stream", None)
    return stream in {sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__}
