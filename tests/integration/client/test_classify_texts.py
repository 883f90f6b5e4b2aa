"""`classify` of the client library on a real broker, a word list in place of the services."""

import asyncio

import pytest

from headrace.client import AsyncClient, Classified, Client, Fatal, Retryable
from tests.fakes.classifier import Classifier

pytestmark = pytest.mark.integration


async def test_each_text_gets_its_class_in_order(kafka: str) -> None:
    texts = [f"{'positive' if number % 3 else 'negative'} {number}" for number in range(50)]
    async with Classifier(at_once=10, times=2).on(kafka):
        found = await AsyncClient(kafka=kafka).classify(texts)
    assert [each.index for each in found] == list(range(50))
    assert [each.label for each in found] == [text.split()[0] for text in texts]
    assert found[1].scores == {"positive": 0.75, "negative": 0.25}


async def test_classes_of_ones_own_and_a_text_that_cannot_be_read(kafka: str) -> None:
    async with Classifier().on(kafka) as classifier:
        client = AsyncClient(kafka=kafka, tenant="acme")
        labels = {"late": "came after the day", "broken": ""}
        found = [each async for each in client.classify_each(["unreadable", "it came broken"], labels, model="m")]
    by_index = {each.index: each for each in found}
    assert by_index[0] == Classified(0, "", 0.0, error="text is too long")
    assert by_index[1].label == "broken"
    review = classifier.seen[-1]
    assert (review.tenant, review.model) == ("acme", "m")
    assert [(label.name, label.description) for label in review.labels] == [*labels.items()]


async def test_without_awaiting(kafka: str) -> None:
    def program() -> list[Classified]:
        with Client(kafka=kafka) as client:
            return client.classify(["positive"])

    async with Classifier().on(kafka):
        (found,) = await asyncio.to_thread(program)
    assert found.label == "positive"


async def test_nobody_at_work_and_nobody_there(kafka: str) -> None:
    with pytest.raises(Retryable, match="no result"):
        await AsyncClient(kafka=kafka).classify(["positive"], patience_s=0.5)
    with pytest.raises(Fatal, match="no broker answers"):
        await AsyncClient(kafka="127.0.0.1:1").classify(["positive"])
