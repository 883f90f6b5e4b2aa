"""Names of the headers that every message carries."""

from typing import Final

MESSAGE_ID: Final = "message-id"
CONTENT_TYPE: Final = "content-type"
TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"
TENANT: Final = "tenant"
DEADLINE: Final = "deadline"
ATTEMPT: Final = "attempt"
REPLY_PARTITION: Final = "reply-partition"
# On the retry topic: where the message came from, and when its next try is due (epoch ms).
NOT_BEFORE: Final = "not-before"
ORIGIN_TOPIC: Final = "origin-topic"
ORIGIN_PARTITION: Final = "origin-partition"
ORIGIN_OFFSET: Final = "origin-offset"
ORIGIN_TIMESTAMP: Final = "origin-timestamp"
# On a redriven message: the dead letter that it was.
REDRIVEN_FROM: Final = "redriven-from"
# What tells of earlier tries, and is void for a message that begins anew.
OF_EARLIER_TRIES: Final = frozenset(
    {ATTEMPT, NOT_BEFORE, ORIGIN_TOPIC, ORIGIN_PARTITION, ORIGIN_OFFSET, ORIGIN_TIMESTAMP, REDRIVEN_FROM}
)
