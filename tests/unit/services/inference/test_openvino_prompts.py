import pytest

from services.inference.adapters.engines.openvino_prompts import BLOCK_TOKENS, Piece, PromptQueue
from services.inference.adapters.engines.wire import Add

pytestmark = pytest.mark.unit

STEP = 4 * BLOCK_TOKENS


def asked(name: str, prompt: list[int]) -> Add:
    return Add(request_id=name, prompt=prompt, max_tokens=8, temperature=0.0, top_p=1.0, seed=1)


def prompt(first: int, length: int) -> list[int]:
    return [first * 10_000 + n for n in range(1, length + 1)]


def names(queue: PromptQueue, decoding: int = 0) -> list[str | int]:
    """What a step takes: requests by their names, pieces by their lengths."""
    return [len(each.ids) if isinstance(each, Piece) else each.request_id for each in queue.due(decoding)]


def test_a_step_takes_as_many_prompts_as_it_reads_whole_in_the_order_in_which_they_came() -> None:
    queue = PromptQueue(STEP)
    for number, length in enumerate((50, 50, 20, 50)):
        queue.add(asked(f"r{number}", prompt(number, length)))
    assert names(queue) == ["r0", "r1", "r2"]
    assert names(queue) == ["r3"]
    assert not queue


def test_a_longer_prompt_is_read_in_whole_blocks_beside_those_that_decode_and_nobody_overtakes_it() -> None:
    queue = PromptQueue(STEP)
    queue.add(asked("long", prompt(1, 300)))
    queue.add(asked("short", prompt(2, 5)))
    assert names(queue, decoding=1) == [96]
    assert names(queue, decoding=40) == [160]
    assert names(queue, decoding=0) == [288]
    assert names(queue, decoding=0) == ["long", "short"]


def test_what_is_left_of_a_step_goes_to_the_first_blocks_of_the_next_prompt() -> None:
    queue = PromptQueue(STEP)
    queue.add(asked("short", prompt(1, 60)))
    queue.add(asked("long", prompt(2, 150)))
    assert names(queue) == ["short", 64]
    assert names(queue) == ["long"]


def test_a_step_without_room_for_a_block_takes_nothing() -> None:
    queue = PromptQueue(STEP)
    queue.add(asked("long", prompt(1, 300)))
    assert names(queue, decoding=STEP - BLOCK_TOKENS + 1) == []
    assert names(queue, decoding=STEP + 5) == []
    assert names(queue, decoding=STEP - BLOCK_TOKENS) == [32]


def test_who_is_cancelled_while_he_is_read_is_forgotten() -> None:
    queue = PromptQueue(STEP)
    queue.add(asked("long", prompt(1, 300)))
    assert names(queue) == [128]
    queue.cancel("long")
    queue.cancel("nobody")
    assert not queue
    assert names(queue) == []


@pytest.mark.parametrize("said", [1, 2, 13, 20])
def test_what_ended_in_a_half_full_block_is_filled_up_before_anybody_goes_on_from_there(said: int) -> None:
    queue = PromptQueue(STEP)
    question, answer = prompt(1, 40), prompt(2, said)
    queue.ended(question, answer)
    goes_on = question + answer + prompt(3, 4)
    queue.add(asked("first", goes_on))
    queue.add(asked("second", question + answer[:-1]))
    assert names(queue) == [], "the pipeline frees what has ended with this step"
    (filled,) = queue.due(0)
    assert isinstance(filled, Piece)
    assert filled.ids[: 40 + said - 1] == question + answer[:-1], "the last token was drawn, and nothing made of it"
    assert len(filled.ids) == 2 * BLOCK_TOKENS + 1
    assert filled.ids[40 + said - 1 :] != goes_on[40 + said - 1 : len(filled.ids)]
    assert names(queue) == ["first", "second"]
    queue.add(asked("third", goes_on))
    assert names(queue) == ["third"], "nobody can go on from there any more"


def test_several_ends_on_the_way_are_filled_up_one_after_the_other() -> None:
    queue = PromptQueue(STEP)
    question, answer = prompt(1, 40), prompt(2, 60)
    for said in (45, 5, 12):
        queue.ended(question, answer[:said])
    assert names(queue) == []
    queue.add(asked("goes on", question + answer))
    assert [names(queue) for _ in range(4)] == [[65], [65], [97], ["goes on"]]


def test_what_is_before_an_end_is_read_in_whole_blocks_where_a_step_cannot_take_both() -> None:
    queue = PromptQueue(STEP)
    queue.ended(prompt(1, 300), prompt(2, 1))
    assert names(queue) == []
    queue.add(asked("goes on", prompt(1, 400)))
    assert [names(queue) for _ in range(4)] == [[128], [256], [321], ["goes on"]]


def test_an_end_in_a_full_block_needs_nothing_and_others_do_not_wait_for_one() -> None:
    queue = PromptQueue(STEP)
    queue.ended(prompt(1, 60), prompt(2, 5))
    queue.add(asked("goes on", prompt(1, 60) + prompt(2, 5)))
    assert names(queue) == ["goes on"]
    queue.ended(prompt(1, 50), prompt(2, 5))
    queue.add(asked("other", prompt(3, 60)))
    assert names(queue) == ["other"]
    assert not queue
