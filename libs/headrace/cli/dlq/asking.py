"""What the commands have in common: their options, and finding the letters that are meant."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

import typer

from headrace.cli.dlq.moments import moment_ms
from headrace.cli.output import Exit, err, fail
from headrace.client.dead_letters.choice import Filter, State, filtered, named, state_of
from headrace.client.dead_letters.route import STAGES
from headrace.messaging import topics
from headrace.messaging.errors import Invalid, Unreachable
from headrace.messaging.letters import Letter
from headrace.messaging.reaching import reach
from headrace.v1.dead_letters_pb2 import DeadLetterDisposition

_BOOTSTRAP: Final = "HEADRACE_KAFKA_BOOTSTRAP"
# Some letters were refused, or the command did not come to its end: what it says was done is done.
UNFINISHED: Final = 4
EXIT_STATUS: Final = """Exit status: 0 done, 1 no letter is meant, 2 the command line is wrong, 3 nothing runs that
could answer, 4 not all of it was done: what is said to be done stands, and running it again does nothing twice."""
# Of the events and streams, which are on no slip.
_OTHERS: Final = ("prompts", "reviews", "gate", "deltas", "knowledge", "feedback", "turns")


def _begins(names: tuple[str, ...]) -> object:
    return lambda incomplete: [name for name in names if name.startswith(incomplete)]


Ids = Annotated[list[str] | None, typer.Argument(help="Letters by their ids, or by how these begin.")]
Stage = Annotated[
    str, typer.Option(help="Those that died at this stage.", autocompletion=_begins((*topics.STAGES, *_OTHERS)))
]
Error = Annotated[str, typer.Option(help="Those of this class of error, such as Undecodable, or 'Und*'.")]
Tenant = Annotated[str, typer.Option(help="Those of this tenant.")]
Topic = Annotated[str, typer.Option(help="Those that came from this topic, such as '*.inference.*'.")]
Since = Annotated[str, typer.Option(help="Those that died since: 2h, '30m ago', yesterday, 2026-11-22T14:30.")]
Until = Annotated[str, typer.Option(help="Those that died before; `now` for all.")]
FromStage = Annotated[
    str, typer.Option("--from-stage", help="The stage to begin at again.", autocompletion=_begins(STAGES))
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@dataclass(frozen=True, slots=True)
class Found:
    """The letters that are meant, and what was done with each of all."""

    letters: list[Letter]
    done: Mapping[str, DeadLetterDisposition]

    @property
    def open(self) -> list[Letter]:
        """Those of them that something can still be done with."""
        return [letter for letter in self.letters if letter.id not in self.done]

    def tell_settled(self) -> None:
        """Say of those that were named and are done already what was done."""
        for letter in self.letters:
            if (disposition := self.done.get(letter.id)) is not None:
                at = datetime.fromtimestamp(disposition.at.ToMilliseconds() / 1000).astimezone()
                err.print(
                    f"{letter.id} was {state_of(disposition)} on {at:%F %T} by {disposition.operator} already; "
                    "if it died again, the list has it under another id",
                    markup=False, highlight=False, soft_wrap=True,
                )  # fmt: skip


def broker() -> str:
    """The address of the broker."""
    bootstrap = os.environ.get(_BOOTSTRAP)
    if not bootstrap:
        fail(f"no broker: start `headrace up` in this directory or set {_BOOTSTRAP}", Exit.NOT_RUNNING)
    try:
        asyncio.run(reach(bootstrap))
    except Unreachable as exc:
        fail(str(exc), Exit.NOT_RUNNING)
    return bootstrap


def filter_of(*, stage: str, error: str, tenant: str, topic: str, since: str, until: str) -> Filter:
    """The options as a filter; a moment that is none ends the command."""
    now = datetime.now().astimezone()
    try:
        return Filter(
            stage=stage,
            error=error,
            tenant=tenant,
            topic=topic,
            since_ms=moment_ms(since, now) if since else None,
            until_ms=moment_ms(until, now) if until else None,
        )
    except Invalid as exc:
        fail(str(exc), Exit.USAGE)


def either(ids: list[str] | None, wanted: Filter) -> None:
    """Whoever changes something says what: letters by name, or a filter."""
    if ids and not wanted.empty:
        fail("name letters by their ids or choose them by options, not both", Exit.USAGE)
    if not ids and wanted.empty:
        fail(
            "which? Name letters by their ids, or choose by --stage, --error and so on; --until now for all", Exit.USAGE
        )


async def find(
    bootstrap: str, ids: list[str] | None, wanted: Filter, *, states: frozenset[State] = frozenset({State.OPEN})
) -> Found:
    """The letters that are meant, oldest first; `Invalid` for an id that names none or several."""
    from headrace.messaging.letter_log import read_dispositions, read_letters

    since_ms = None if ids else wanted.since_ms
    letters, done = await asyncio.gather(read_letters(bootstrap, since_ms=since_ms), read_dispositions(bootstrap))
    return Found(named(letters, ids) if ids else filtered(letters, done, wanted, states=states), done)
