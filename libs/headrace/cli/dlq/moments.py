"""Moments and rates as people type them. Pure: the present comes in as `now`."""

import re
from datetime import datetime, timedelta
from typing import Final

from headrace.messaging.errors import Invalid

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGO: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])[a-z]*(?:\s+ago)?", re.IGNORECASE)
_RATE: Final = re.compile(r"(\d+(?:\.\d+)?)(?:\s*/\s*(s|m|h)[a-z]*)?", re.IGNORECASE)
_SECONDS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}


def moment_ms(text: str, now: datetime) -> int:
    """Epoch milliseconds of "2h ago", "2h", "now", "today", "yesterday" or ISO 8601; without a zone, that of `now`."""
    given = text.strip().lower()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    words = {"now": now, "today": midnight, "yesterday": midnight - timedelta(days=1)}
    if (moment := words.get(given)) is not None:
        return _ms(moment)
    if found := _AGO.fullmatch(given):
        try:
            return _ms(now - timedelta(**{_UNITS[found[2]]: float(found[1])}))
        except OverflowError:
            raise Invalid(f"{text!r} is before the beginning of time") from None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Invalid(f"{text!r} is no moment: write it like 2h, '30m ago', yesterday or 2026-11-22T14:30") from None
    return _ms(moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo))


def per_second(text: str) -> float:
    """A rate like "5/s", "100/m" or "5"."""
    found = _RATE.fullmatch(text.strip())
    if not found or not float(found[1]):
        raise Invalid(f"{text!r} is no rate: write it like 5/s or 100/m")
    return float(found[1]) / _SECONDS[(found[2] or "s").lower()]


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
