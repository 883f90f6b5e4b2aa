"""What the pipeline of OpenVINO says does not depend on what else it is asked meanwhile."""

import random
from collections.abc import Iterator
from itertools import count
from time import monotonic
from typing import Any

import pytest

from headrace.models.fetch import prepare
from headrace.models.tokenizer import ChatTokenizer
from services.inference.adapters.engines.openvino import OpenVinoCore, make_pipeline
from services.inference.adapters.engines.openvino_labels import LabelPipeline
from services.inference.adapters.engines.wire import Add, Event, Failed, Score, Scored, Tokens
from tests.fakes.real_engines import spec_for

pytestmark = [pytest.mark.integration, pytest.mark.slow]

WORDS = "river water stone mill wheel boat fish town light winter bread horse road green slow deep never under".split()


class Core:
    """A core that is stepped here, and what it has said."""

    def __init__(self) -> None:
        spec = spec_for("openvino")
        # Prompts of a hundred tokens take several steps.
        self.spec = spec.model_copy(update={"resources": spec.resources.model_copy(update={"max_batched_tokens": 96})})
        self.folder = prepare(self.spec)
        tokenizer = ChatTokenizer.load(self.folder)
        self.encode = tokenizer.encode
        self.core = OpenVinoCore(self.spec, self.folder, eos_id=tokenizer.eos_id, threads=2)
        self.eos_id = tokenizer.eos_id
        self.asked: set[str] = set()
        self.finished: set[str] = set()
        self.said: dict[str, list[int]] = {}
        self.scored: dict[str, list[list[float]]] = {}

    def forget(self) -> None:
        for kept in (self.asked, self.finished, self.said, self.scored):
            kept.clear()

    def text(self, seed: int, words: int) -> list[int]:
        chosen = random.Random(seed)  # noqa: S311 - a text that is always the same
        return self.encode(" ".join(chosen.choice(WORDS) for _ in range(words)))

    def answer(self, name: str, prompt: list[int] | None = None) -> None:
        seed = int(name[1:])
        self.asked.add(name)
        self.core.add(
            Add(
                request_id=name, prompt=prompt or self.text(seed, 20 + seed % 60), max_tokens=24, temperature=0.0,
                top_p=1.0, seed=1, repetition_penalty=1.3,
            )
        )  # fmt: skip

    def score(self, name: str) -> None:
        seed = int(name[1:])
        self.core.score(Score(name, self.text(seed, 20 + 7 * seed % 90), self.labels()))

    def labels(self) -> list[list[int]]:
        return [self.encode(label) for label in (" good", " bad", " neither of the two")]

    def step(self) -> None:
        for event in self.core.step():
            match event:
                case Tokens(request_id=name, ids=ids, finish=finish):
                    self.said.setdefault(name, []).extend(ids)
                    if finish:
                        self.finished.add(name)
                case Scored(request_id=name, log_likelihoods=likelihoods):
                    self.scored[name] = likelihoods
                case Failed(message=message):
                    raise AssertionError(message)
                case event:
                    raise AssertionError(f"{event} is for the process")

    def rest(self) -> None:
        while self.core.busy:
            self.step()


@pytest.fixture(scope="module")
def made() -> Iterator[tuple[Core, Core]]:
    pair = Core(), Core()
    yield pair
    for each in pair:
        each.core.close()


@pytest.fixture
def cores(made: tuple[Core, Core]) -> tuple[Core, Core]:
    for each in made:
        each.rest()
        each.forget()
    return made


def test_answers_and_scorings_do_not_disturb_each_other(cores: tuple[Core, Core]) -> None:
    together, alone = cores
    chosen = random.Random(7)  # noqa: S311 - the same schedule every time
    for number in range(24):
        (together.answer if number % 3 == 0 else together.score)(f"r{number}")
        for _ in range(chosen.choice((0, 1, 2, 5))):
            together.step()
    together.rest()
    for number in range(24):
        (alone.answer if number % 3 == 0 else alone.score)(f"r{number}")
        alone.rest()
    assert together.said == alone.said
    assert together.scored.keys() == alone.scored.keys()
    for name, likelihoods in alone.scored.items():
        for mine, theirs in zip(together.scored[name], likelihoods, strict=True):
            assert mine == pytest.approx(theirs, abs=0.01)


def test_labels_are_scored_though_somebody_is_answered_all_the_time(cores: tuple[Core, Core]) -> None:
    core, _ = cores
    for number in range(3):
        core.score(f"s{number}")
    answers = count()
    deadline = monotonic() + 120
    while len(core.scored) < 3:
        assert monotonic() < deadline
        while sum(name not in core.finished for name in core.asked) < 2:
            core.answer(f"a{next(answers)}")
        core.step()
    assert core.said


def test_a_pipeline_for_labels_that_cannot_be_made_fails_them_and_is_tried_again(cores: tuple[Core, Core]) -> None:
    one, _ = cores
    tries: list[int] = []

    def make() -> Any:
        tries.append(1)
        if len(tries) == 1:
            raise RuntimeError("no memory is left")
        return make_pipeline(one.spec, one.folder, 2)

    labels = LabelPipeline(make, one.eos_id, 128)
    asked = Score("s1", one.text(1, 27), one.labels())
    labels.score(asked)
    assert list(labels.step(60)) == [Failed("s1", "the pipeline for labels cannot be made: no memory is left")]
    labels.score(asked)
    events: list[Event] = []
    while not events:
        events += labels.step(60)
    labels.close()
    assert isinstance(events[0], Scored)
    assert [len(each) for each in events[0].log_likelihoods] == [len(label) for label in asked.labels]


def test_a_request_that_the_library_refuses_takes_no_other_with_it(cores: tuple[Core, Core]) -> None:
    one, _ = cores
    one.answer("r1")
    one.step()
    one.core.add(Add("bad", one.text(2, 20), max_tokens=4, temperature=1.0, top_p=7.0, seed=1, logprobs=0))
    one.answer("r3")
    (failed,) = [event for event in one.core.step() if isinstance(event, Failed)]
    assert failed.request_id == "bad"
    assert "top_p" in failed.message
    one.rest()
    assert one.finished == {"r1", "r3"}


def test_what_is_cancelled_leaves_nothing_behind_that_others_would_find(cores: tuple[Core, Core]) -> None:
    together, alone = cores
    chosen = random.Random(11)  # noqa: S311 - the same schedule every time
    for number in range(14):
        (together.answer if chosen.random() < 0.5 else together.score)(f"r{number}")
        for _ in range(chosen.choice((0, 1, 2))):
            together.step()
        if chosen.random() < 0.6:
            together.core.cancel(f"r{number}")
    together.rest()
    together.said.clear()
    for number in range(14):
        for each in cores:
            each.said.pop(f"r{number}", None)
            each.answer(f"r{number}")
            each.rest()
    assert together.said == alone.said


def test_what_was_cancelled_while_it_was_read_is_answered_as_ever_when_it_is_asked_again(
    cores: tuple[Core, Core],
) -> None:
    together, alone = cores
    chosen = random.Random(3)  # noqa: S311 - the same schedule every time
    for number in range(100, 108):
        prompt = together.text(number, chosen.randrange(100, 260))
        for other in range(chosen.randrange(1, 4)):
            together.answer(f"o{number}{other}")
        for _ in range(3):
            together.step()
        together.answer(f"r{number}", prompt)
        for _ in range(chosen.randrange(1, 4)):
            together.step()
        together.core.cancel(f"r{number}")
        together.rest()
        for each in cores:
            each.said.pop(f"r{number}", None)
            each.answer(f"r{number}", prompt)
            each.rest()
        assert together.said[f"r{number}"] == alone.said[f"r{number}"]


def test_two_who_go_on_from_one_answer_at_the_same_time_have_nothing_of_each_other(cores: tuple[Core, Core]) -> None:
    together, alone = cores
    goes_on = [" But the queen of England said that the", " 12345 and then 678 plus", " def main(argv): return"]
    for words in range(3, 40, 6):
        base = together.text(words, words)
        together.answer(f"b{words}", base)
        together.rest()
        prompts = [base + together.said[f"b{words}"] + together.encode(more) for more in goes_on]
        for number, prompt in enumerate(prompts):
            together.answer(f"f{words}{number}", prompt)
        together.rest()
        for number, prompt in enumerate(prompts):
            alone.answer(f"f{words}{number}", prompt)
            alone.rest()
            assert together.said[f"f{words}{number}"] == alone.said[f"f{words}{number}"]


def test_a_review_that_made_way_while_it_was_read_is_judged_as_ever(cores: tuple[Core, Core]) -> None:
    together, alone = cores
    chosen = random.Random(5)  # noqa: S311 - the same schedule every time
    for number in range(200, 206):
        prompts = [together.text(number * 10 + n, chosen.randrange(60, 200)) for n in range(2)]
        for n, prompt in enumerate(prompts):
            together.core.score(Score(f"s{number}{n}", prompt, together.labels()))
        for _ in range(chosen.randrange(1, 4)):
            together.step()
        for n in range(len(prompts)):
            together.core.cancel(f"s{number}{n}")
        # And each of them twice, as people do who copy what others wrote.
        for n, prompt in enumerate(prompts * 2):
            together.core.score(Score(f"s{number}{n}", prompt, together.labels()))
        together.rest()
        for n, prompt in enumerate(prompts):
            alone.core.score(Score(f"s{number}{n}", prompt, alone.labels()))
            alone.rest()
        for n in range(len(prompts) * 2):
            theirs = alone.scored[f"s{number}{n % len(prompts)}"]
            for mine, each in zip(together.scored[f"s{number}{n}"], theirs, strict=True):
                assert mine == pytest.approx(each, abs=0.01)
