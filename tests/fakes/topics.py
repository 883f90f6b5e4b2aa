"""Topics of a test's own on the real broker."""

from collections.abc import Mapping

from headrace.messaging.admin import TopicSpec, apply_topics


async def make_topics(bootstrap: str, partitions: Mapping[str, int]) -> None:
    """Create topics by name, with so many partitions each; when this returns, each partition has a leader.

    The bare admin client hands refusals back as values, and a broker that stood still for some seconds refuses.
    """
    await apply_topics(bootstrap, {name: TopicSpec(count, 1, {}) for name, count in partitions.items()})
