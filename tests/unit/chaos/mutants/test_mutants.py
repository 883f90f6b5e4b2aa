"""The same numbers give the same mutants, and the judgement of them is not the code's own."""

from collections import Counter
from random import Random

from headrace.messaging import topics
from headrace.messaging.carried import carried
from headrace.messaging.contract import JSON
from tests.chaos.mutants.mutant import TAG, Mutant, mutant
from tests.chaos.mutants.parseable import Nobodys, Parses, Unparseable, judged
from tests.chaos.mutants.samples import TOPICS, sample

_NOW_MS = 1_800_000_000_000


def _first(count: int) -> list[Mutant]:
    return [mutant(7, number, _NOW_MS) for number in range(count)]


def test_a_seed_and_a_number_give_the_same_mutant_again() -> None:
    assert mutant(7, 42, _NOW_MS) == mutant(7, 42, _NOW_MS)
    assert mutant(7, 42, _NOW_MS) != mutant(8, 42, _NOW_MS)


def test_every_topic_that_anybody_reads_gets_mutants() -> None:
    # What waits for people is read by nobody of ours.
    assert set(TOPICS) == topics.all_topics() - {topics.HUMAN_REVIEWS}
    assert {made.topic for made in _first(4_000)} == set(TOPICS)


def test_mutants_are_of_all_kinds_and_each_names_itself() -> None:
    made = _first(2_000)
    kinds = Counter(type(judged(each)) for each in made)
    assert min(kinds[Parses], kinds[Unparseable]) > 600
    assert kinds[Nobodys]
    assert all((TAG, str(each.number).encode()) in each.headers for each in made)
    assert all(each.faults for each in made)
    named = {fault.partition(":")[0] for each in made for fault in each.faults}
    assert named == {"bytes", "json", "field", "headers", "key", "tombstone", "another message"}


def test_what_a_mutant_was_made_from_parses_as_its_topics_message() -> None:
    for made in _first(300):
        whole = Mutant(0, made.topic, None, made.sample.value, made.sample.headers, made.sample, ())
        judgement = judged(whole)
        assert isinstance(judgement, Parses)
        assert judgement.message == made.sample.message


def test_a_valid_message_has_every_field_of_its_type_set() -> None:
    for topic in (topics.PROMPTS, topics.FEEDBACK, topics.KNOWLEDGE, topics.RESPONSES, topics.TURNS_COMPLETED):
        chance = Random(topic)  # noqa: S311 - replays, guards nothing
        messages = [sample(topic, chance, _NOW_MS).message for _ in range(20)]
        names = {field.name for message in messages for field, _ in message.ListFields()}
        kind = carried(topic)
        assert kind is not None
        # Absent by design: what says that a turn failed, that it is a review or wants vectors, that nothing was masked
        # or counted.
        absent = {"outcome", "review", "delta_count"} | ({"input"} if topic == topics.PROMPTS else set())
        assert {field.name for field in kind.DESCRIPTOR.fields} - absent <= names


def test_the_judgement_goes_by_the_last_content_type_and_by_the_first_byte() -> None:
    made = next(each for each in _first(500) if each.topic == topics.PROMPTS and each.sample.encoding == JSON)

    def judgement(*kinds: bytes) -> object:
        held = tuple(("content-type", kind) for kind in kinds)
        return judged(Mutant(0, made.topic, None, made.sample.value, held, made.sample, ()))

    assert isinstance(judgement(), Parses)
    assert isinstance(judgement(b"application/x-protobuf"), Unparseable)
    assert isinstance(judgement(b"application/x-protobuf", b"application/json"), Parses)
    assert isinstance(judgement(b"application/json; type=headrace.v1.Turn"), Unparseable)
