"""What an error leads to. Pure: randomness comes in as `jitter` in [0, 1)."""

from dataclasses import dataclass

from headrace.messaging.errors import Fatal, Invalid, Retryable


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Budgets per message. In place: `tries` with exponential backoff; then the retry topic; then a dead letter."""

    tries: int = 4
    base_ms: int = 100
    ceiling_ms: int = 5_000
    # How long a message rests on the retry topic, and how many deliveries it has in all.
    rest_ms: int = 5_000
    deliveries: int = 4


@dataclass(frozen=True, slots=True)
class RetryInPlace:
    """Try again after a pause; the message's key waits, others go on."""

    delay_ms: int


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Rest on the retry topic until `not_before_ms`."""

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
    have been its cause, and ends as a dead letter that shows it. `ordered` work (a stream) never leaves its place for
    the retry topic, since what follows would overtake it.
    """
    match error:
        case Fatal():
            return Stop()
        case Invalid():
            return Bury()
        case _:
            pass
    asked_ms = error.retry_after_ms if isinstance(error, Retryable) else None
    deliveries = policy.tries * policy.deliveries if ordered else policy.tries
    if tries < deliveries:
        backoff = min(policy.ceiling_ms, policy.base_ms * 2 ** (tries - 1))
        return RetryInPlace(max(asked_ms or 0, int(backoff * (0.5 + jitter / 2))))
    if not ordered and delivery < policy.deliveries:
        rest = max(asked_ms or 0, policy.rest_ms * 2 ** (delivery - 1))
        return RetryLater(now_ms + int(rest * (0.75 + jitter / 4)))
    return Bury()
