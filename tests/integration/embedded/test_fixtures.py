import pytest
import redis.asyncio as redis
from confluent_kafka.admin import AdminClient

from headrace.messaging.topics import all_topics

pytestmark = pytest.mark.integration


def test_another_client_sees_every_topic_of_the_fixture(kafka: str) -> None:
    seen = AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=10).topics
    assert all_topics() <= set(seen)


async def test_the_fixture_keeps_a_value(valkey: str) -> None:
    client = redis.from_url(valkey, decode_responses=True)
    await client.set("headrace:test", "kept")
    assert await client.get("headrace:test") == "kept"
    await client.aclose()
