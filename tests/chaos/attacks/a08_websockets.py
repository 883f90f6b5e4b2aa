"""Two thousand websockets at two gateways on real Kafka: cuts at any token, slow readers, a gateway that restarts."""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Final

from tests.chaos.attack import Progress, Report, Size
from tests.chaos.gateway import answering
from tests.chaos.gateway.answering import Script
from tests.chaos.gateway.comparing import Change, change, percentile
from tests.chaos.gateway.files import raise_file_limit
from tests.chaos.gateway.path import GatewayPath, running_gateways
from tests.chaos.gateway.people import Person, Witness
from tests.chaos.gateway.scraping import held_bytes, pid_listening
from tests.chaos.path.merging import merged

GATEWAYS: Final = 2
SOCKETS: Final = 2_000
STREAMING: Final = 200
# Among those that stream.
SLOW: Final = 6
ANSWER: Final = Script(pieces=15, every_s=0.5)
# More than the buffers on the way hold, within a second or two.
LARGE: Final = Script(pieces=40, every_s=0.125, more_bytes=20_000, plain=True)
CUTS_PER_TURN: Final = 1.5
# A gateway sends a client away that takes nothing for so long; a slow reader rests for longer.
PATIENCE_S: Final = 2.0
REST_S: Final = 3.5
# The first part of a block still shows what went before it.
BLOCK_S: Final = 4.0
SETTLE_S: Final = 1.0
MOVED: Final = 1.05
_RAMP: Final = 50
_FEW_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Scale:
    """How many cuts, how many pairs of blocks to compare, and how long the cuts may take."""

    cuts: int
    pairs: int
    seconds: float


SCALES: Final[dict[Size, Scale]] = {"ci": Scale(2_000, 6, 120.0), "full": Scale(10_000, 60, 900.0)}


class Websockets:
    """Row 8."""

    number = 8
    title = f"{SOCKETS:,} open websockets, {STREAMING} streaming, cut at random tokens and resumed; slow readers"
    must_hold = "0 missing, duplicate or reordered text; a slow reader moves others' p99 by <= 5 %"

    def units(self, size: Size) -> Sequence[str]:
        return (size,)

    async def run(self, unit: str, size: Size, seed: int, progress: Progress) -> Report:
        return await attack(SCALES[size], seed * 1000 + 800, progress)

    def merge(self, reports: Sequence[Report]) -> Report:
        return merged(reports)


class Room:
    """Everybody: most are silent, some are told an answer after the other, a few of those read slowly."""

    def __init__(self, gateways: Sequence[str], seed: int) -> None:
        self.witness = Witness()
        # What the slow are told is judged as everybody's, but its delays are no measure of anything.
        self.slow_witness = Witness()
        silent = SOCKETS - STREAMING
        self.silent = [Person(gateways, self.witness, seed=seed + number) for number in range(silent)]
        self.talking = [
            Person(gateways, self.witness, seed=seed + silent + number, cuts=CUTS_PER_TURN)
            for number in range(STREAMING - SLOW)
        ]
        self.slow = [
            Person(gateways, self.slow_witness, seed=seed - number, small=True) for number in range(1, SLOW + 1)
        ]

    @asynccontextmanager
    async def talking_on(self, progress: Progress) -> AsyncIterator[None]:
        """Let all in and keep them at it; at the end every answer is read to its end."""
        everybody = [*self.silent, *self.talking, *self.slow]
        for begin in range(0, len(everybody), _RAMP):
            progress(begin, len(everybody), "connecting")
            await asyncio.gather(*(person.connect() for person in everybody[begin : begin + _RAMP]))
        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for person in self.silent:
                group.create_task(person.idle(over))
            for person in self.talking:
                group.create_task(person.talk(over, ANSWER))
            for person in self.slow:
                group.create_task(person.talk(over, LARGE))
            yield
            for person in self.slow:
                person.reads.set()
            over.set()

    def slow_ones_read(self, *, reads: bool) -> None:
        for person in self.slow:
            if reads:
                person.reads.set()
            else:
                person.reads.clear()


async def attack(scale: Scale, seed: int, progress: Progress) -> Report:
    """Cuts first, with a restart in the middle of them; then, without any, what slow readers do to the others."""
    raise_file_limit()
    told = {"HEADRACE_GATEWAY_SLOW_CLIENT_SECONDS": str(PATIENCE_S)}
    async with running_gateways(GATEWAYS, told=told) as path, _answering(path):
        room = Room([gateway.address for gateway in path.gateways], seed)
        async with room.talking_on(progress):
            began = monotonic()
            await _cut(room, path, scale, progress)
            cutting_s = monotonic() - began
            for person in room.talking:
                person.may_cut = False
            held = max(held_bytes(pid_listening(gateway.address)) for gateway in path.gateways)
            pairs = await _compare(room, scale.pairs, progress)
        moved = change(pairs, seed)
        found = [*_violations(room, scale, moved), *path.unasked()]
        logs = path.save_logs() if found else ""
    seen = room.witness
    figures: dict[str, float | int | str] = {
        "turns read to their end": seen.turns + room.slow_witness.turns,
        "cuts": seen.cuts,
        "cuts resumed at the other gateway": seen.elsewhere,
        "closed to resume elsewhere (1012)": seen.closed["1012"],
        "asked to come back later": seen.refused,
        "sent away as too slow": room.slow_witness.closed.total(),
        "delay of a piece p50, ms": round(1000 * percentile([lag for _, lag in seen.lags], 0.5), 1),
        "delay of a piece p99 beside slow readers, ms": round(1000 * percentile([slow for _, slow in pairs], 0.5), 1),
        "p99 moved by slow readers": str(moved),
        "largest gateway, MiB": round(held / 2**20),
        "seconds of cutting": round(cutting_s, 1),
        **({"logs": logs} if logs else {}),
    }
    done = f"{SOCKETS:,} websockets, {STREAMING} streaming, {seen.cuts:,} cuts, {scale.pairs} pairs of blocks"
    return Report(f"{done} (seed {seed})", figures, tuple(f"{violation} [seed {seed}]" for violation in found))


async def _cut(room: Room, path: GatewayPath, scale: Scale, progress: Progress) -> None:
    until = monotonic() + scale.seconds
    restarting: asyncio.Task[object] | None = None
    reads, change_at = True, monotonic() + REST_S
    while room.witness.cuts < scale.cuts and monotonic() < until:
        progress(room.witness.cuts, scale.cuts, "cuts")
        await asyncio.sleep(_FEW_S)
        if restarting is None and room.witness.cuts > scale.cuts / 2:
            restarting = asyncio.create_task(path.gateways[-1].restart())
        if monotonic() > change_at:
            reads, change_at = not reads, monotonic() + REST_S
            room.slow_ones_read(reads=reads)
    room.slow_ones_read(reads=True)
    if restarting is not None:
        await restarting
        await path.gateways[-1].until_ready()


async def _compare(room: Room, pairs: int, progress: Progress) -> list[tuple[float, float]]:
    """The others' p99 while the slow read like everybody, and while they do not: in turns, and in turns of turns."""
    found: list[tuple[float, float]] = []
    # A collection in this process would delay what comes just then, and be taken for the gateway's doing.
    gc.collect()
    gc.disable()
    for number in range(pairs):
        p99s: dict[bool, float] = {}
        for reads in (True, False) if number % 2 else (False, True):
            progress(number, pairs, "slow readers read" if reads else "slow readers rest")
            room.slow_ones_read(reads=reads)
            await asyncio.sleep(SETTLE_S)
            begun = len(room.witness.lags)
            await asyncio.sleep(BLOCK_S - SETTLE_S)
            p99s[reads] = percentile([lag for _, lag in room.witness.lags[begun:]], 0.99)
        found.append((p99s[True], p99s[False]))
    gc.enable()
    return found


def _violations(room: Room, scale: Scale, moved: Change) -> list[str]:
    found = [*room.witness.wrong, *room.slow_witness.wrong]
    if room.witness.cuts < scale.cuts:
        found.append(f"only {room.witness.cuts:,} of {scale.cuts:,} cuts were made in {scale.seconds:.0f} s")
    if not room.slow_witness.closed.total():
        found.append("no slow reader was sent away: none was slow")
    if unsaid := room.witness.closed["no word"]:
        found.append(f"{unsaid} websockets that nobody cut were closed without a word")
    # Only what is certain is a violation; the interval is printed, so that a wide one is not taken for proof.
    if moved.low > MOVED:
        found.append(f"slow readers moved the others' p99 by {moved}")
    return found


@asynccontextmanager
async def _answering(path: GatewayPath) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", answering.__name__, path.bootstrap, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            assert (await process.stdout.readline()).decode().strip() == answering.READY
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


ATTACK: Final = Websockets()
