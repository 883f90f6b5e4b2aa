"""Starts parts in the order of their needs, starts again what dies, and stops all of it in order."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from time import monotonic
from typing import NoReturn

from headrace.embedded.backoff import Deaths
from headrace.embedded.part import Member, stop_waves
from headrace.messaging.errors import Fatal, HeadraceError


class State(StrEnum):
    """Where a part stands."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(slots=True)
class Status:
    """One part as it is now."""

    name: str
    state: State = State.WAITING
    restarts: int = 0
    pid: int | None = None
    address: str = ""
    # What takes long, or what went wrong.
    note: str = ""
    # From its first start until it was first ready.
    start_seconds: float | None = None


@dataclass(slots=True)
class _Kept:
    member: Member
    status: Status
    ready: asyncio.Event = field(default_factory=asyncio.Event)


class Supervisor:
    """Keeps a set of parts alive. `changed` hears of every change of a status."""

    def __init__(self, members: Sequence[Member], changed: Callable[[Status], None]) -> None:
        self._kept = {member.part.name: _Kept(member, Status(member.part.name)) for member in members}
        self._changed = changed
        for kept in self._kept.values():
            for need in kept.member.needs | kept.member.bound_to:
                if need not in self._kept:
                    raise ValueError(f"{kept.status.name} needs {need}, which is not among the parts")

    @property
    def statuses(self) -> tuple[Status, ...]:
        """All parts, in the order given."""
        return tuple(kept.status for kept in self._kept.values())

    @property
    def all_ready(self) -> bool:
        """Whether everything can be used, but for what is optional."""
        return all(kept.status.state is State.READY for kept in self._kept.values() if not kept.member.optional)

    def note(self, name: str, text: str) -> None:
        """Show what a part is busy with."""
        self._set(self._kept[name], note=text)

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop`; `Fatal` when a part that is not optional cannot be started the first time.

        Everything is stopped either way.
        """
        tasks = [asyncio.create_task(self._keep(kept), name=name) for name, kept in self._kept.items()]
        stopped = asyncio.create_task(stop.wait(), name="stop")
        try:
            done, _ = await asyncio.wait({*tasks, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*tasks, stopped):
                task.cancel()
            await asyncio.wait({*tasks, stopped})
            await self._stop_all()
        for task in done - {stopped}:
            task.result()

    def kill(self) -> None:
        """End everything at once, in no order."""
        for kept in self._kept.values():
            if process := kept.member.part.process:
                process.kill()

    async def _keep(self, kept: _Kept) -> None:
        for need in kept.member.needs:
            await self._kept[need].ready.wait()
        part = kept.member.part
        deaths = Deaths()
        while True:
            began = monotonic()
            again = kept.status.restarts > 0
            try:
                await self._start(kept)
                if part.process is None:
                    await _for_ever()
                await part.process.wait()
                error = part.process.failed(part.process.ending)
            except Fatal as exc:
                if not again:
                    self._set(kept, state=State.FAILED, note=str(exc))
                    if not kept.member.optional:
                        raise
                    await _for_ever()
                error = exc
            deaths = deaths.after_running(monotonic() - began)
            kept.ready.clear()
            kept.status.restarts += 1
            self._set(kept, state=State.RESTARTING, note=str(error))
            await asyncio.sleep(deaths.delay_seconds)

    async def _start(self, kept: _Kept) -> None:
        began = monotonic()
        part = kept.member.part
        self._set(kept, state=State.STARTING, note="")
        await part.start()
        if kept.status.start_seconds is None:
            kept.status.start_seconds = monotonic() - began
        self._set(kept, state=State.READY, note="", address=part.address)
        kept.ready.set()
        if kept.status.restarts:
            for other in self._kept.values():
                # Its own keeper sees the death and starts it again.
                if part.name in other.member.bound_to and other.member.part.process:
                    other.member.part.process.kill()

    async def _stop_all(self) -> None:
        for wave in stop_waves({name: kept.member.needs for name, kept in self._kept.items()}):
            await asyncio.gather(*(self._stop(self._kept[name]) for name in wave))

    async def _stop(self, kept: _Kept) -> None:
        failed = kept.status.state is State.FAILED
        if not failed and kept.status.state is not State.WAITING:
            self._set(kept, state=State.STOPPING)
        try:
            await kept.member.part.stop()
        except (HeadraceError, OSError) as exc:
            # The others still stop in order; what is left of this one is ended.
            self._set(kept, note=f"did not stop in order: {exc}")
        finally:
            if kept.member.part.process:
                kept.member.part.process.kill()
        if not failed:
            self._set(kept, state=State.STOPPED)

    def _set(
        self, kept: _Kept, *, state: State | None = None, note: str | None = None, address: str | None = None
    ) -> None:
        status = kept.status
        status.state = state or status.state
        status.note = status.note if note is None else note
        status.address = address or status.address
        process = kept.member.part.process
        status.pid = process.pid if process else None
        with suppress(BrokenPipeError):
            self._changed(status)


async def _for_ever() -> NoReturn:
    await asyncio.Event().wait()
    raise AssertionError("waits until it is cancelled")
