"""The path scenario: every service of the path, asked, hit by faults, and drained."""

from typing import Final

from google.protobuf.message import Message

from headrace.messaging import topics
from tests.chaos.sim.answers import Answers
from tests.chaos.sim.asked import Question, Version, draw
from tests.chaos.sim.bad_build import BadBuild
from tests.chaos.sim.engine import SimEngine
from tests.chaos.sim.faults import CALM_S, Faults
from tests.chaos.sim.faults import draw as draw_faults
from tests.chaos.sim.ledger import Entries
from tests.chaos.sim.process import Process
from tests.chaos.sim.response_cache import SimCache
from tests.chaos.sim.run import Run
from tests.chaos.sim.services import NAMES, Stores, configuration_read_once

# A stream whose end never came is let go a minute after its deadline, by design.
DRAINED_S: Final = 2500.0
_LOOK_S: Final = 10.0


class Path:
    """One or two processes of each service, a few turns, and what becomes of them."""

    def __init__(self, run: Run, *, defect: bool = False) -> None:
        """`defect`: one of the services falls over for a while."""
        self._run = run
        kinds = draw_faults(run.choice)
        script = draw(run.choice)
        engine = SimEngine(began=self._began)
        self._stores = Stores(run, engine, Entries(run.clock), SimCache(run.clock))
        self._answers = Answers(run, script, self._stores, kinds)
        run.exactly_once = self._stores.exactly_once
        self._groups = [run.broker.group(f"headrace.{name}") for name in NAMES]
        for group in self._groups:
            self._answers.watch(group)
        self._instances: dict[Process, tuple[str, str]] = {}
        self._bad_build = BadBuild.draw(run.choice, NAMES) if defect else None
        self._quiet = kinds.quiet
        for question in script.questions:
            run.loop.at(question.at_s, self._ask, question)
            if question.kind == "twice":
                run.loop.at(question.at_s + run.choice.choice((0.001, 0.3, 3.0)), self._ask, question)
        for version in script.versions:
            run.loop.at(version.at_s, self._teach, version)
        for at_s, topic, key, message in script.others:
            run.loop.at(at_s, self._tell, topic, key, message)
        self._faults = Faults(run, kinds, script.moments(), self._replace, lambda: self._instances)

    async def play(self) -> None:
        """Run to the end and judge it."""
        with configuration_read_once():
            await self._play()
        self._answers.conclude()

    async def _play(self) -> None:
        run = self._run
        static = run.choice.random() < 0.5
        for name in NAMES:
            for number in range(1 if self._quiet else run.choice.choice((1, 1, 2))):
                self._start(name, f"i{number}" if static else "")
        self._faults.plan()
        await run.clock.sleep(CALM_S)
        while lag := {place: left for group in self._groups for place, left in group.lag().items()}:
            if run.loop.time() > CALM_S + DRAINED_S:
                run.violation(f"stuck: {dict(sorted(lag.items()))} not committed {DRAINED_S} s after the last fault")
                break
            await run.clock.sleep(_LOOK_S)

    def _began(self, turn_id: str) -> None:
        self._answers.began(turn_id)

    def _ask(self, question: Question) -> None:
        key = question.conversation_id.encode()
        self._run.broker.log.append(topics.PROMPTS, question.value(), key=key)

    def _teach(self, version: Version) -> None:
        self._run.broker.log.append(topics.KNOWLEDGE, version.value(), key=version.key.encode())

    def _tell(self, topic: str, key: str, message: Message) -> None:
        self._run.broker.log.append(topic, message.SerializeToString(), key=key.encode())

    def _start(self, name: str, instance: str) -> None:
        build = self._stores.build(name, instance)
        if bad := self._bad_build:
            process = self._run.start(lambda process: bad.of(build(process), self._run), name, instance=instance)
        else:
            process = self._run.start(build, name, instance=instance)
        self._instances[process] = (name, instance)

    def _replace(self, ended: Process) -> None:
        if ended in self._instances:
            if ended.alive:
                self._run.loop.at(1.0, self._replace, ended)
                return
            self._start(*self._instances.pop(ended))
