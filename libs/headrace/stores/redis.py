"""One way to reach Redis, and one way to fail at it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import quote

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from headrace.messaging.errors import Retryable
from headrace.stores.connections import WatchedPool

# A turn passes six services, and when Redis falls silent each of them finds out by itself: together they must leave
# enough of a deadline of five seconds to answer without it.
CONNECT_TIMEOUT_SECONDS: Final = 0.5
ANSWER_TIMEOUT_SECONDS: Final = 0.5


def connect(url: str) -> redis.asyncio.Redis:
    """A lazy client: nothing is dialled before the first command; values come back as bytes.

    Timeouts are short, and after one the client fails at once until the server answers again: what can do without
    Redis must not wait for it at every step. One retry covers a pooled connection that a restart has cut, and no more:
    whoever needs more patience has the runtime's backoff, which does not hold a worker while it waits.
    """
    pool = WatchedPool.from_url(
        url,
        socket_connect_timeout=CONNECT_TIMEOUT_SECONDS,
        socket_timeout=ANSWER_TIMEOUT_SECONDS,
        health_check_interval=30,
        # A greeting in RESP 3, two notes on who is calling and a question for maintenance, which only a vendor's server
        # answers, are three more rounds before the first command: two seconds where a round takes 0.6.
        protocol=2,
        driver_info=None,
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
    )
    return redis.asyncio.Redis.from_pool(pool)


@contextmanager
def reaching(store: str) -> Iterator[None]:
    """Turn whatever Redis raises inside into `Retryable`, naming the store."""
    try:
        yield
    except (RedisError, OSError, TimeoutError) as exc:
        reason = type(exc).__name__
        raise Retryable(f"{store}: Redis cannot be reached ({reason}); is HEADRACE_REDIS_URL right?") from exc


def key(kind: str, *parts: str) -> str:
    """`headrace:<kind>:{a:b}`, each part escaped, so that no tenant can name another's key.

    The braces put all keys of the same parts into one slot of a cluster.
    """
    return f"headrace:{kind}:{{{':'.join(quote(part, safe='') for part in parts)}}}"
