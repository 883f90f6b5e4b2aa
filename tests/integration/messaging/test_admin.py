"""Topics on a broker that is not there all the time."""

import pytest

from headrace.embedded import kafka_config
from headrace.embedded.kafka import EmbeddedKafka
from headrace.messaging import admin
from headrace.messaging.admin import TopicSpec, apply_topics
from headrace.messaging.errors import Fatal

pytestmark = pytest.mark.integration


async def test_a_topic_is_made_though_the_only_broker_is_taken_for_dead_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What a machine that stands still for seconds does to a broker, here in two seconds of every three.
    absent = {"broker.heartbeat.interval.ms": "3000", "broker.session.timeout.ms": "1000"}
    monkeypatch.setattr(kafka_config, "SETTINGS", {**kafka_config.SETTINGS, **absent})
    broker = EmbeddedKafka()
    try:
        await broker.start()
        names = [f"t{number}" for number in range(12)]
        for name in names:
            assert await apply_topics(broker.address, {name: TopicSpec(2, 1, {})}) == (name,)
        assert await apply_topics(broker.address, {name: TopicSpec(2, 1, {}) for name in names}) == ()
    finally:
        await broker.stop()


async def test_more_replicas_than_brokers_are_refused_after_a_while_by_the_topics_name(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin, "LEADERS_SECONDS", 0.5)
    with pytest.raises(Fatal, match=r"topic wide could not be created: .*replicate the partition 2 time"):
        await apply_topics(kafka, {"wide": TopicSpec(1, 2, {})})
