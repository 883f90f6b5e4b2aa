import asyncio
import os
import signal
from pathlib import Path

import pytest

from headrace.embedded.part import Member
from headrace.embedded.supervisor import State, Status, Supervisor
from headrace.messaging.errors import Fatal
from tests.fakes.parts import ScriptedPart
from tests.fakes.waiting import until

pytestmark = pytest.mark.integration

LIVES = "import signal; print('up', flush=True); signal.pause()"
FAILS = "import sys; sys.exit('no disk left')"


class _Run:
    """A supervisor at work, and what it did."""

    def __init__(self, *members: Member) -> None:
        self.changes: list[tuple[str, State]] = []
        self.supervisor = Supervisor(members, self._changed)
        self.stop = asyncio.Event()
        self.task = asyncio.create_task(self.supervisor.run(self.stop))

    def status(self, name: str) -> Status:
        return next(status for status in self.supervisor.statuses if status.name == name)

    async def ready(self) -> None:
        await until("all parts to be ready", lambda: self.task.done() or self.supervisor.all_ready)

    async def end(self) -> None:
        self.stop.set()
        await self.task

    def _changed(self, status: Status) -> None:
        self.changes.append((status.name, status.state))


async def test_parts_start_after_what_they_need_and_stop_before_it(tmp_path: Path) -> None:
    journal: list[str] = []
    broker = ScriptedPart("broker", tmp_path, LIVES, journal=journal)
    service = ScriptedPart("service", tmp_path, LIVES, journal=journal)
    run = _Run(Member(service, needs=frozenset({"broker"})), Member(broker))
    await run.ready()
    await run.end()
    assert journal == ["start broker", "ready broker", "start service", "ready service", "stop service", "stop broker"]


async def test_what_dies_is_reported_and_started_again(tmp_path: Path) -> None:
    part = ScriptedPart("part", tmp_path, LIVES, journal=[])
    run = _Run(Member(part))
    await run.ready()
    pid = run.status("part").pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await until("the second start", lambda: run.status("part").restarts == 1 and run.supervisor.all_ready)
    assert run.status("part").pid != pid
    assert ("part", State.RESTARTING) in run.changes
    await run.end()


async def test_a_restart_that_fails_is_tried_again(tmp_path: Path) -> None:
    part = ScriptedPart("part", tmp_path, LIVES, FAILS, LIVES, journal=[])
    run = _Run(Member(part))
    await run.ready()
    assert part.process is not None
    part.process.kill()
    await until("the third start", lambda: run.status("part").restarts == 2 and run.supervisor.all_ready)
    await run.end()


async def test_a_first_start_that_fails_ends_everything_and_names_the_log(tmp_path: Path) -> None:
    well = ScriptedPart("well", tmp_path, LIVES, journal=[])
    broken = ScriptedPart("broken", tmp_path, FAILS, journal=[])
    run = _Run(Member(well), Member(broken, needs=frozenset({"well"})))
    with pytest.raises(
        Fatal, match=r"broken ended with status 1 while starting; its log is .*broken\.log.*\n\s+no disk left"
    ):
        await run.task
    assert run.status("broken").state is State.FAILED
    assert well.process is not None
    assert well.process.pid is None


async def test_what_lived_in_a_part_is_started_again_with_it(tmp_path: Path) -> None:
    cluster = ScriptedPart("cluster", tmp_path, LIVES, journal=[])
    tenant = ScriptedPart("tenant", tmp_path, LIVES, journal=[])
    run = _Run(Member(cluster), Member(tenant, needs=frozenset({"cluster"}), bound_to=frozenset({"cluster"})))
    await run.ready()
    assert cluster.process is not None
    cluster.process.kill()
    await until("both to be back", lambda: run.status("tenant").restarts == 1 and run.supervisor.all_ready)
    await run.end()


def test_a_need_that_nobody_meets_is_named_at_once(tmp_path: Path) -> None:
    lonely = ScriptedPart("lonely", tmp_path, LIVES, journal=[])
    with pytest.raises(ValueError, match="lonely needs kafka"):
        Supervisor([Member(lonely, needs=frozenset({"kafka"}))], lambda _: None)


async def test_nobody_waits_for_what_is_optional_and_it_fails_alone(tmp_path: Path) -> None:
    service = ScriptedPart("service", tmp_path, LIVES, journal=[])
    extra = ScriptedPart("extra", tmp_path, FAILS, journal=[])
    run = _Run(Member(service), Member(extra, needs=frozenset({"service"}), optional=True))
    await run.ready()
    await until("the extra to fail", lambda: run.status("extra").state is State.FAILED)
    assert "no disk left" in run.status("extra").note
    assert run.supervisor.all_ready
    await run.end()
    assert [run.status(name).state for name in ("service", "extra")] == [State.STOPPED, State.FAILED]
