"""What the pipeline of OpenVINO says does not depend on what else it is asked meanwhile."""

import random
from collections.abc import Iterator

import pytest

from headrace.models.fetch import prepare
from headrace.models.tokenizer import ChatTokenizer
from services.inference.adapters.engines.openvino import OpenVinoCore
from services.inference.adapters.engines.wire import Add, Failed, Score, Scored, Tokens
from tests.fakes.real_engines import spec_for

pytestmark = [pytest.mark.integration, pytest.mark.slow]

WORDS = "river water stone mill wheel boat fish town light winter bread horse road green slow deep never under".split()


class Core:
    """A core that is stepped here, and what it has said."""

    def __init__(self) -> None:
        spec = spec_for("openvino")
        folder = prepare(spec)
        tokenizer = ChatTokenizer.load(folder)
        self.encode = tokenizer.encode
        self.core = OpenVinoCore(spec, folder, eos_id=tokenizer.eos_id, threads=2)
        self.said: dict[str, list[int]] = {}
        self.scored: dict[str, list[list[float]]] = {}

    def text(self, seed: int, words: int) -> list[int]:
        chosen = random.Random(seed)  # noqa: S311 - a text that is always the same
        return self.encode(" ".join(chosen.choice(WORDS) for _ in range(words)))

    def answer(self, name: str) -> None:
        seed = int(name[1:])
        self.core.add(
            Add(
                request_id=name, prompt=self.text(seed, 20 + seed % 60), max_tokens=24, temperature=0.0, top_p=1.0,
                seed=1, repetition_penalty=1.0,
            )
        )  # fmt: skip

    def score(self, name: str) -> None:
        seed = int(name[1:])
        labels = [self.encode(label) for label in (" good", " bad", " neither of the two")]
        self.core.score(Score(name, self.text(seed, 20 + 7 * seed % 90), labels))

    def step(self) -> None:
        for event in self.core.step():
            match event:
                case Tokens(request_id=name, ids=ids):
                    self.said.setdefault(name, []).extend(ids)
                case Scored(request_id=name, log_likelihoods=likelihoods):
                    self.scored[name] = likelihoods
                case Failed(message=message):
                    raise AssertionError(message)
                case event:
                    raise AssertionError(f"{event} is for the process")

    def rest(self) -> None:
        while self.core.busy:
            self.step()


@pytest.fixture
def cores() -> Iterator[tuple[Core, Core]]:
    pair = Core(), Core()
    yield pair
    for each in pair:
        each.core.close()


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


def test_what_is_cancelled_leaves_nothing_behind_that_others_would_find(cores: tuple[Core, Core]) -> None:
    together, alone = cores
    chosen = random.Random(11)  # noqa: S311 - the same schedule every time
    for number in range(30):
        (together.answer if chosen.random() < 0.5 else together.score)(f"r{number}")
        for _ in range(chosen.choice((0, 1, 2))):
            together.step()
        if chosen.random() < 0.6:
            together.core.cancel(f"r{number}")
    together.rest()
    together.said.clear()
    for number in range(30):
        for each in cores:
            each.said.pop(f"r{number}", None)
            each.answer(f"r{number}")
            each.rest()
    assert together.said == alone.said
