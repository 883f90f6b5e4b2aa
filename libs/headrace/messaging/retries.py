"""What an error leads to. Pure: randomness comes in as `jitter` in [0, 1)."""

from dataclasses import dataclass

from headrace.messaging.errors import Fatal, Invalid, Retryable

# Whatever a failing side asks for, nothing rests longer: a mistyped answer must not put work off for a year.
LONGEST_REST_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Budgets per message. In place: `tries` with exponential backoff; then the retry topics; then a dead letter."""

    tries: int = 4
    base_ms: int = 100
    # No backoff in place is longer: a message that has to wait longer makes room for those behind it.
    ceiling_ms: int = 5_000
    # How long a message rests on each retry topic, `headrace.retries.<service>.<lane>.<n>.v1`.
    rests_ms: tuple[int, ...] = (5_000, 30_000, 300_000)
    # After so many processes have died while it was at work, a message runs alone, so that the next death is its own or
    # none; after so many in all it is a dead letter.
    alone_after: int = 3
    crashes: int = 6

    @property
    def deliveries(self) -> int:
        """How often a message is delivered before it is a dead letter."""
        return 1 + len(self.rests_ms)


@dataclass(frozen=True, slots=True)
class RetryInPlace:
    """Try again after a pause; the message's key waits, others go on."""

    delay_ms: int


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Rest on the retry topic of this tier (from 1) until `not_before_ms`."""

    tier: int
    not_before_ms: int


@dataclass(frozen=True, slots=True)
class Bury:
    """Dead letter, now."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The service cannot go on."""


Consequence = RetryInPlace | RetryLater | Bury | Stop


def consequence(
    error: BaseException,
    *,
    tries: int,
    delivery: int,
    now_ms: int,
    jitter: float,
    policy: RetryPolicy,
    ordered: bool = False,
) -> Consequence:
    """Decide by the class of the error, the tries in place and the deliveries so far (both counted from 1).

    An error of no known class is a defect: it is retried like `Retryable`, because a restart or another message may
    have been its cause, and ends as a dead letter that shows it. `ordered` work never leaves its place for a retry
    topic, since what follows on its key would overtake it: it rests where it is, and its key with it.
    """
    match error:
        case Fatal():
            return Stop()
        case Invalid():
            return Bury()
        case _:
            pass
    asked_ms = min(LONGEST_REST_MS, (error.retry_after_ms if isinstance(error, Retryable) else None) or 0)
    quick = tries < policy.tries and (ordered or asked_ms <= policy.ceiling_ms)
    if quick:
        backoff = min(policy.ceiling_ms, policy.base_ms * 2 ** (tries - 1))
        return RetryInPlace(max(asked_ms, int(backoff * (0.5 + jitter / 2))))
    rest = max(0, tries - policy.tries) if ordered else delivery - 1
    if rest >= len(policy.rests_ms):
        return Bury()
    rest_ms = max(asked_ms, int(policy.rests_ms[rest] * (0.75 + jitter / 4)))
    return RetryInPlace(rest_ms) if ordered else RetryLater(rest + 1, now_ms + rest_ms)
