"""A broker, administered: whether it serves, and its topics brought to what they are to be."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import InvalidReplicationFactorError, KafkaError, TopicAlreadyExistsError, for_code

from headrace.messaging.errors import Fatal

# How long brokers may take to join the cluster, and partitions to get a leader.
LEADERS_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """How one topic is to be."""

    partitions: int
    replication: int
    config: Mapping[str, str]


async def broker_answers(bootstrap: str) -> bool:
    """Whether a client gets the list of topics. The client logs a refused connection: ask when something listens."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=5_000)
    try:
        await admin.start()
        await admin.list_topics()
    except (KafkaError, OSError):
        return False
    finally:
        with suppress(KafkaError, OSError):
            await admin.close()
    return True


async def apply_topics(bootstrap: str, topics: Mapping[str, TopicSpec]) -> tuple[str, ...]:
    """Create missing topics, add missing partitions, set every configuration; the names of the created ones.

    Partitions are never taken away: Kafka cannot, and keys would move. Done when every partition has a leader. Raises
    `Fatal` where the broker refuses, or brokers or leaders are missing for longer than `LEADERS_SECONDS`.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id="headrace-topics")
    try:
        await admin.start()
        present = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics()}
        created = tuple(name for name in topics if name not in present)
        await _create(admin, {name: topics[name] for name in created})
        await _widen(admin, topics, present)
        await _configure(admin, {name: spec for name, spec in topics.items() if name in present})
        await _until_led(admin, topics)
    except KafkaError as exc:
        raise Fatal(f"the topics could not be set up on the broker at {bootstrap}: {exc!r}") from exc
    finally:
        await admin.close()
    return created


async def _create(admin: AIOKafkaAdminClient, topics: Mapping[str, TopicSpec]) -> None:
    new = [
        NewTopic(name, spec.partitions, spec.replication, topic_configs=dict(spec.config))
        for name, spec in topics.items()
    ]
    until = monotonic() + LEADERS_SECONDS
    while new:
        early: set[str] = set()
        for topic, code, message in (await admin.create_topics(new)).topic_errors:
            error = for_code(code)
            # Fewer brokers than replicas: those of a cluster that starts, or that stood still, are yet to come.
            if error is InvalidReplicationFactorError and monotonic() < until:
                early.add(topic)
            # Another process creates them too: the result is the same.
            elif code and error is not TopicAlreadyExistsError:
                raise Fatal(f"topic {topic} could not be created: {message or error.__name__}")
        new = [topic for topic in new if topic.name in early]
        if new:
            await asyncio.sleep(0.2)


async def _widen(admin: AIOKafkaAdminClient, topics: Mapping[str, TopicSpec], present: Mapping[str, int]) -> None:
    wanted = {
        name: NewPartitions(total_count=spec.partitions)
        for name, spec in topics.items()
        if present.get(name, spec.partitions) < spec.partitions
    }
    if wanted:
        await admin.create_partitions(wanted)


async def _configure(admin: AIOKafkaAdminClient, topics: Mapping[str, TopicSpec]) -> None:
    resources = [
        ConfigResource(ConfigResourceType.TOPIC, name, configs=dict(spec.config)) for name, spec in topics.items()
    ]
    if not resources:
        return
    for response in await admin.alter_configs(resources):
        for code, message, _, name in response.resources:
            if code:
                raise Fatal(f"topic {name} could not be configured: {message or for_code(code).__name__}")


async def _until_led(admin: AIOKafkaAdminClient, topics: Mapping[str, TopicSpec]) -> None:
    until = monotonic() + LEADERS_SECONDS
    while missing := set(topics) - _led(await admin.describe_topics(list(topics))):
        if monotonic() > until:
            raise Fatal(f"no leader for {', '.join(sorted(missing))} after {LEADERS_SECONDS:.0f} s")
        await asyncio.sleep(0.05)


def _led(described: list[dict[str, object]]) -> set[object]:
    return {
        topic["topic"]
        for topic in described
        if not topic["error_code"]
        and isinstance(parts := topic["partitions"], list)
        and all(p["leader"] >= 0 for p in parts)
    }
