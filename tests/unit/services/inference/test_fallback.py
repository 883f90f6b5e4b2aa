"""Another model answers where the one that was asked for cannot."""

from dataclasses import dataclass, field

import pytest

from headrace.messaging.errors import Retryable
from headrace.models.spec import ModelSpec
from services.inference.ports import Engine
from tests.fakes.engines import ScriptedEngine
from tests.fakes.inferring import SPEC, Bench, a_turn, section, text

MAIN = SPEC.model_copy(update={"name": "main", "fallback": "spare"})
SPARE = SPEC.model_copy(update={"name": "spare", "revision": "7", "repetition_penalty": 1.5})


@dataclass
class ByName:
    """An engine a model; one that is not here cannot be reached."""

    engines: dict[str, Engine]
    asked: list[str] = field(default_factory=list)

    async def engine(self, spec: ModelSpec) -> Engine:
        self.asked.append(spec.name)
        if spec.name not in self.engines:
            raise Retryable(f"{spec.name} is not deployed")
        return self.engines[spec.name]

    async def check(self) -> None:
        """There is always one."""


@pytest.mark.parametrize("engines", [{}, {"main": ScriptedEngine(full=True)}], ids=["away", "full"])
async def test_the_fallback_answers_and_the_turn_says_so(engines: dict[str, Engine]) -> None:
    spare = ScriptedEngine(words=("From", " the", " spare."))
    models = ByName({**engines, "spare": spare})
    bench = Bench(None, models, MAIN, SPARE)
    turn = a_turn(cacheable=True)
    turn.prepared.model = "main"
    result, deltas = await bench.ask(turn)
    found = section(result)
    assert text(deltas) == found.text == "From the spare."
    assert (found.model, found.model_revision, found.in_place_of) == ("spare", "7", "main")
    assert spare.requests[0].sampling.repetition_penalty == 1.5
    assert not bench.cache.answers
    assert models.asked == ["main", "spare"]


async def test_an_answer_that_has_begun_is_nobody_elses_to_finish() -> None:
    models = ByName({"main": ScriptedEngine(fails_after=2), "spare": ScriptedEngine()})
    turn = a_turn()
    turn.prepared.model = "main"
    with pytest.raises(Retryable, match="the engine broke"):
        await Bench(None, models, MAIN, SPARE).ask(turn)
    assert models.asked == ["main"]


async def test_without_a_fallback_the_turn_waits() -> None:
    models = ByName({"spare": ScriptedEngine()})
    turn = a_turn()
    turn.prepared.model = "main"
    with pytest.raises(Retryable, match="main is not deployed"):
        await Bench(None, models, MAIN.model_copy(update={"fallback": None}), SPARE).ask(turn)


async def test_a_deadline_that_passed_is_no_reason_to_ask_another() -> None:
    models = ByName({"main": ScriptedEngine(too_late=True), "spare": ScriptedEngine()})
    turn = a_turn()
    turn.prepared.model = "main"
    await Bench(None, models, MAIN, SPARE).ask(turn)
    assert models.asked == ["main"]
