"""Every process of every service is restarted in turn, as an upgrade does, while clients ask and read."""

import asyncio
from collections.abc import Sequence
from itertools import takewhile
from time import monotonic
from typing import Final

from tests.chaos.attack import Progress, Report, Size
from tests.chaos.path.clients import ChatClient, Experience
from tests.chaos.path.draining import Backlog
from tests.chaos.path.gathering import accepted, gathered
from tests.chaos.path.judging import Accepted, generations_repeated, repeated, violations
from tests.chaos.path.kept import Ending
from tests.chaos.path.load import Load
from tests.chaos.path.merging import merged
from tests.chaos.path.stack import STAGES, Layout, ServicePath, running_path
from tests.chaos.path.submitting import Submitting
from tests.fakes.waiting import until

PATIENCE_S: Final = 120.0
# Two gateways, as whoever wants no gap for new connections runs them; the log waits for everybody else.
GATEWAYS: Final = 2
CLIENTS: Final = 20
# A path in use, of which the gateways know how fast it is: so many answers a client before the first restart.
WARM_ANSWERS: Final = 3
WARM_S: Final = 180.0
# How long a person reads before the next question.
READING_S: Final = 0.5
# Of eleven one is a turn and one its rating.
PER_SECOND: Final = 33.0
# More than a round takes for each process.
RESTART_S: Final = 60.0


class Rolling:
    """Row 9."""

    number = 9
    title = "rolling restart of all services under load, twice"
    must_hold = "0 errors seen by clients, 0 duplicates"

    def units(self, size: Size) -> Sequence[str]:
        return (size,)

    async def run(self, unit: str, size: Size, seed: int, progress: Progress) -> Report:
        return await attack(2 if size == "ci" else 10, seed * 1000 + 900, progress)

    def merge(self, reports: Sequence[Report]) -> Report:
        return merged(reports)


async def attack(rounds: int, seed: int, progress: Progress) -> Report:
    """So many rounds over all processes; the load goes on from before the first to after the last."""
    layout = Layout(services={**dict.fromkeys(STAGES, 1), "gateway": GATEWAYS})
    seconds = rounds * RESTART_S * (len(STAGES) + GATEWAYS)
    load = Load(turns=int(seconds * PER_SECOND / 11), reviews=int(seconds * PER_SECOND * 9 / 11), seed=seed)
    async with running_path(layout) as path:
        submitting, over, experience = Submitting(path.bootstrap), asyncio.Event(), Experience()
        gateways = [gateway.address for gateway in path.of("gateway")]
        clients = [ChatClient(number, seed, gateways, experience) for number in range(CLIENTS)]
        began = monotonic()
        async with asyncio.TaskGroup() as group:
            group.create_task(submitting.send(takewhile(lambda _: not over.is_set(), load.all()), PER_SECOND))
            for client in clients:
                group.create_task(client.talk(over, READING_S))
            warm = WARM_ANSWERS * CLIENTS
            await until(f"{warm} answers", lambda: len(experience.answered) >= warm, WARM_S)
            restarts = await _restart_all(path, rounds, progress)
            over.set()
        stuck = await Backlog(path.bootstrap).empty(patience_s=PATIENCE_S)
        taken = _with_chats(accepted(load, submitting), experience)
        seen = await gathered(path, taken.conversations)
        found = [
            *submitting.complaints,
            *experience.wrong,
            *(f"{each.instance} {each.how} when it was asked to stop" for each in restarts if each.status),
            *stuck,
            *violations(taken, seen),
            *path.unasked(),
        ]
        logs = path.save_logs() if found else ""
    slowest = max(restarts, key=lambda each: each.seconds)
    figures: dict[str, float | int | str] = {
        "restarts": len(restarts),
        "longest drain, s": round(slowest.seconds, 1),
        "longest drain was of": slowest.instance,
        "messages of topic clients": len(submitting.acknowledged),
        "turns of chat clients": len(experience.answered),
        "cuts in mid-answer": experience.cuts,
        "finals again": repeated(seen.finals),
        "classes again": repeated(seen.classes),
        "generations cut short and repeated": generations_repeated(seen.journal),
        "seconds": round(monotonic() - began, 1),
        **({"logs": logs} if logs else {}),
    }
    done = f"{len(restarts)} restarts, {len(submitting.acknowledged):,} messages, {CLIENTS} chats (seed {seed})"
    return Report(done, figures, tuple(f"{violation} [seed {seed}]" for violation in found))


async def _restart_all(path: ServicePath, rounds: int, progress: Progress) -> list[Ending]:
    endings: list[Ending] = []
    for _ in range(rounds):
        for service in path.services:
            progress(len(endings), rounds * len(path.services), service.instance)
            endings.append(await service.restart())
            await service.until_ready()
    return endings


def _with_chats(taken: Accepted, experience: Experience) -> Accepted:
    chats = {conversation: tuple(turns) for conversation, turns in experience.conversations.items()}
    return Accepted(
        turns=taken.turns.union(*chats.values()),
        reviews=taken.reviews,
        ratings=taken.ratings,
        conversations={**taken.conversations, **chats},
    )


ATTACK: Final = Rolling()
