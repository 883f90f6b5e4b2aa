import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.client.dead_letters.choice import Filter, State, filtered, named, state_of
from headrace.client.dead_letters.purge import deletable
from headrace.client.dead_letters.stale import position
from headrace.messaging.errors import Invalid
from headrace.messaging.letters import ID_LENGTH, Letter, described, letter_id, opened
from headrace.messaging.records import Received
from headrace.v1.dead_letters_pb2 import DeadLetter, DeadLetterDisposition
from tests.fakes.letters import a_record, a_turn, dead


def content(name: str = "a", stage: str = "inference") -> DeadLetter:
    message = dead(a_record(a_turn(name)), stage=stage).message
    assert isinstance(message, DeadLetter)
    return message


def a_letter(name: str, *, offset: int = 0, stage: str = "inference") -> Letter:
    letter = content(name, stage)
    return described(Received("dlq", 0, offset, 0, None, letter.SerializeToString()), letter)


def done(
    *letters: Letter, action: DeadLetterDisposition.Action = DeadLetterDisposition.REDRIVEN
) -> dict[str, DeadLetterDisposition]:
    return {letter.id: DeadLetterDisposition(letter_id=letter.id, action=action) for letter in letters}


def test_the_same_death_has_the_same_id_and_another_has_another() -> None:
    assert letter_id(content("a")) == letter_id(content("a"))
    assert len({letter_id(content("a")), letter_id(content("b")), letter_id(content("a", "safety"))}) == 3


def test_an_id_can_be_typed() -> None:
    assert len(letter_id(content())) == ID_LENGTH
    assert not set(letter_id(content())) & set("iloulO ")


def test_only_open_letters_are_meant_unless_asked_for() -> None:
    first, second = a_letter("a"), a_letter("b", offset=1)
    assert filtered([first, second], done(first), Filter()) == [second]
    assert filtered([first, second], done(first), Filter(), states=frozenset(State)) == [first, second]
    assert state_of(done(first, action=DeadLetterDisposition.PURGED)[first.id]) is State.PURGED


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (Filter(), True),
        (Filter(stage="Inference"), True),
        (Filter(stage="safety"), False),
        (Filter(error="retry*"), True),
        (Filter(error="Invalid"), False),
        (Filter(tenant="t1", topic="*.inference.*"), True),
        (Filter(tenant="t2"), False),
        (Filter(since_ms=0, until_ms=1), False),
        (Filter(since_ms=1), True),
    ],
)
def test_a_filter_asks_only_what_it_names(wanted: Filter, fits: bool) -> None:  # noqa: FBT001 - the case itself
    assert wanted.fits(a_letter("a")) is fits


def test_the_beginning_of_an_id_is_enough() -> None:
    letters = [a_letter("a"), a_letter("b", offset=1)]
    assert named(letters, [letters[0].id[:5].upper(), letters[0].id]) == letters[:1]


@pytest.mark.parametrize(("given_id", "told"), [("abc", "too short"), ("zzzzzzzzzz", "no dead letter")])
def test_an_id_that_names_nothing_is_refused(given_id: str, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        named([a_letter("a")], [given_id])


def test_the_beginning_of_two_ids_is_refused() -> None:
    twins = [a_letter("a"), a_letter("a")]
    with pytest.raises(Invalid, match="begins 2 ids"):
        named(twins, [twins[0].id])


def test_what_is_no_dead_letter_is_a_letter_about_itself() -> None:
    record = Received("headrace.dead-letters.v1", 0, 7, 5, b"k", b"\xff\xff")
    letter = described(record, opened(record))
    assert (letter.error, letter.origin_offset, letter.bytes) == ("Undecodable", 7, 2)


def test_a_tenant_that_only_the_message_names_is_found() -> None:
    letter = content()
    del letter.headers[:]
    assert described(Received("dlq", 0, 0, 0, None, b""), letter).tenant == "t1"


@given(st.lists(st.booleans(), max_size=12))
def test_what_is_deleted_is_done_and_nothing_open_stands_before_it(states: list[bool]) -> None:
    """INVARIANT: an open letter is never deleted."""
    letters = [a_letter(str(number), offset=number * 2) for number in range(len(states))]
    settled = done(*(letter for letter, is_done in zip(letters, states, strict=True) if is_done))
    until = deletable(reversed(letters), settled).get(0, 0)
    front = states.index(False) if False in states else len(states)
    assert until == (letters[front - 1].offset + 1 if front else 0)


def test_a_redriven_document_is_as_old_as_it_was_when_it_died() -> None:
    plain = Received("t", 0, 90, 0, b"k", b"v")
    again = Received("t", 0, 90, 0, b"k", b"v", headers={"redriven-from": "x"})
    assert position(plain, {"x": 4}) == 90
    assert position(again, {"x": 4}) == 4
