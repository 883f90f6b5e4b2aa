"""Which callers are still there, by what was last heard of them. Pure: moments come in, in seconds."""


class Presence:
    """A caller that was not heard of for `absence_seconds` is gone."""

    def __init__(self, absence_seconds: float) -> None:
        self._absence = absence_seconds
        self._heard: dict[str, float] = {}

    def heard(self, caller: str, now: float) -> None:
        """The caller is there."""
        self._heard[caller] = now

    def next_look(self, now: float) -> float | None:
        """After how long the first of them may be gone; None without callers."""
        if not self._heard:
            return None
        return max(0.0, min(self._heard.values()) + self._absence - now)

    def gone(self, now: float) -> list[str]:
        """Callers that are gone, each told once."""
        gone = [caller for caller, heard in self._heard.items() if heard + self._absence <= now]
        for caller in gone:
            del self._heard[caller]
        return gone
