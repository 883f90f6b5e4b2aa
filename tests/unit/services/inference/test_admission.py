"""Who goes next at a model: people first, reviews in the slack, nobody too late."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.inference.domain.admission import Admission, Ask, Deferred, Granted, Late, Priority

STEP = 512


def admission(*, slots: int = 4, queue: int = 100) -> Admission:
    return Admission(slots=slots, queue=queue, step_tokens=STEP)


def asked(admission: Admission, number: str, priority: Priority, tokens: int = 100, deadline_ms: int = 0) -> bool:
    return admission.enqueue(Ask(number, priority, tokens, deadline_ms))


def granted(admission: Admission, now_ms: int = 0) -> list[str]:
    return [decision.number for decision in admission.decide(now_ms) if isinstance(decision, Granted)]


def test_requests_go_in_the_order_in_which_they_came() -> None:
    model = admission(slots=2)
    for number in "abc":
        asked(model, number, "interactive")
    assert granted(model) == ["a", "b"]
    model.leave("a")
    assert granted(model) == ["c"]


def test_batch_takes_every_slot_while_nobody_asks() -> None:
    model = admission()
    for number in "abcde":
        asked(model, number, "batch")
    taken = granted(model)
    for number in "abcd":
        model.read(number)
        taken += granted(model)
    assert taken == ["a", "b", "c", "d"]
    assert (model.running, model.waiting) == (4, 1)


def test_a_person_waits_for_no_batch_request() -> None:
    """INVARIANT: slots full of batch work are free for whoever waits for an answer."""
    model = admission(slots=2)
    for number in "ab":
        asked(model, number, "batch")
    assert granted(model) == ["a", "b"]
    asked(model, "person", "interactive")
    assert granted(model) == ["person"]


def test_a_batch_prompt_is_taken_on_while_less_is_being_read_than_a_step() -> None:
    model = admission(slots=9)
    for number in "abcde":
        asked(model, number, "batch", tokens=200)
    assert granted(model) == ["a", "b", "c"]
    model.read("a")
    assert granted(model) == ["d"]


def test_no_batch_prompt_is_taken_on_while_a_persons_is_read() -> None:
    model = admission()
    asked(model, "person", "interactive")
    asked(model, "review", "batch")
    assert granted(model) == ["person"]
    model.read("person")
    assert granted(model) == ["review"]


def test_beside_people_batch_prompts_are_read_one_at_a_time() -> None:
    model = admission()
    asked(model, "person", "interactive")
    granted(model)
    model.read("person")
    asked(model, "a", "batch", tokens=10)
    asked(model, "b", "batch", tokens=10)
    assert granted(model) == ["a"]
    model.leave("a")
    assert granted(model) == ["b"]


def test_a_long_batch_prompt_makes_way_for_a_person_and_comes_back_first() -> None:
    model = admission()
    asked(model, "long", "batch", tokens=10 * STEP)
    assert granted(model) == ["long"]
    asked(model, "next", "batch")
    asked(model, "person", "interactive")
    assert list(model.decide(0)) == [Granted("person"), Deferred("long")]
    model.read("person")
    assert granted(model) == ["long"]


def test_a_long_batch_prompt_is_read_to_its_end_after_it_made_way_often_enough() -> None:
    model = admission()
    asked(model, "long", "batch", tokens=10 * STEP)
    granted(model)
    made_way = 0
    for number in range(10):
        asked(model, f"person {number}", "interactive")
        made_way += Deferred("long") in list(model.decide(0))
        model.leave(f"person {number}")
        granted(model)
    assert made_way == 3


def test_what_has_begun_to_answer_makes_way_for_nobody() -> None:
    model = admission()
    asked(model, "long", "batch", tokens=10 * STEP)
    granted(model)
    assert model.read("long")
    asked(model, "person", "interactive")
    assert list(model.decide(0)) == [Granted("person")]


def test_a_queued_request_whose_deadline_has_passed_never_gets_a_slot() -> None:
    model = admission(slots=1)
    asked(model, "a", "interactive")
    granted(model)
    asked(model, "late", "interactive", deadline_ms=1000)
    asked(model, "next", "interactive")
    model.leave("a")
    assert list(model.decide(1000)) == [Late("late"), Granted("next")]


def test_a_full_queue_of_reviews_refuses_no_person() -> None:
    model = admission(slots=1, queue=2)
    taken = []
    for number in range(4):
        taken.append(asked(model, f"review {number}", "batch"))
        granted(model)
    assert taken == [True, True, True, False]
    assert asked(model, "person", "interactive")


def test_whoever_leaves_the_queue_is_forgotten() -> None:
    model = admission(slots=1)
    asked(model, "a", "interactive")
    granted(model)
    asked(model, "b", "interactive")
    model.leave("b")
    model.leave("b")
    model.leave("a")
    assert granted(model) == []
    assert (model.running, model.waiting) == (0, 0)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ask", "ask", "ask", "read", "leave"]),
            st.sampled_from(["interactive", "batch"]),
            st.integers(1, 2000),
        ),
        max_size=60,
    )
)
def test_whatever_happens_slots_are_kept_and_nobody_is_stuck(steps: list[tuple[str, Priority, int]]) -> None:
    slots = 3
    model = admission(slots=slots, queue=20)
    running: dict[str, Priority] = {}
    waiting: dict[str, Priority] = {}
    for number, (what, priority, tokens) in enumerate(steps):
        if what == "ask" and asked(model, str(number), priority, tokens):
            waiting[str(number)] = priority
        elif running and what == "read":
            model.read(list(running)[tokens % len(running)])
        elif running and what == "leave":
            gone = list(running)[tokens % len(running)]
            del running[gone]
            model.leave(gone)
        for decision in model.decide(0):
            match decision:
                case Granted(name):
                    running[name] = waiting.pop(name)
                case Deferred(name):
                    waiting[name] = running.pop(name)
                    assert waiting[name] == "batch"
                case Late():
                    raise AssertionError("nothing here has a deadline")
        people = list(running.values()).count("interactive")
        assert people <= slots
        assert list(running.values()).count("batch") <= slots
        assert people == slots or "interactive" not in waiting.values()
        assert running or not waiting
        assert (model.running, model.waiting) == (len(running), len(waiting))
