"""Whether a server that calls are waiting for is worth waiting for. Pure; times are seconds of a steady clock."""

from typing import Final

# While a server is out, one call tries it this often; the others fail at once.
REST_SECONDS: Final = 0.5
# A call that tries and is never heard of again keeps the others away for so long.
TRIAL_SECONDS: Final = 2.0


class Outage:
    """A server that lets calls wait until they time out is out; it is back with the first answer.

    Only silence counts. A refused or a cut connection says at once what is wrong and costs nobody any time.
    """

    def __init__(self) -> None:
        # When the next call may try; None: it is not out.
        self._next_try: float | None = None
        # How often a call has timed out: what was open before the last time may be dead and not know.
        self.timeouts = 0

    def refuses(self, now: float) -> bool:
        """Whether a call should fail at once. False makes the caller the one who tries, where it is out."""
        if self._next_try is None:
            return False
        if now < self._next_try:
            return True
        self._next_try = now + TRIAL_SECONDS
        return False

    def timed_out(self, now: float) -> None:
        """A call got no answer. After the first one the next call tries at once: it may have been a hiccup."""
        self._next_try = now if self._next_try is None else now + REST_SECONDS
        self.timeouts += 1

    def answered(self) -> None:
        """A call got an answer."""
        self._next_try = None
