"""Repairing every letter that could not be parsed and redriving it, by what stands behind `headrace dlq redrive`."""

from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from time import time
from typing import Final

from headrace.client.dead_letters.plan import Wish, plan
from headrace.client.dead_letters.redrive import Redrive, Redriven, Settled
from headrace.client.dead_letters.repair import Repair
from headrace.messaging import headers, topics
from headrace.messaging.dead_letters import Onward
from headrace.messaging.disposing import Disposing
from headrace.messaging.errors import Invalid
from headrace.messaging.letter_log import letters_from
from headrace.messaging.letters import Letter
from headrace.runtime.pipelines import Pipelines
from headrace.v1.dead_letters_pb2 import DeadLetter, DeadLetterDisposition
from tests.chaos.mutants.mutant import TAG, Mutant

# So many by the whole command, one after the other; the rest by its parts, in the transactions that it makes.
BY_COMMAND: Final = 10
BATCH: Final = 100


async def redrive(bootstrap: str, pipelines: Path, sent: Sequence[Mutant]) -> tuple[list[Mutant], list[str]]:
    """All letters of these mutants that could not be parsed; those redriven, and a sentence for each that was not."""
    by_tag = {str(made.number): made for made in sent}
    found: list[tuple[Letter, DeadLetter, Mutant]] = []
    async with aclosing(letters_from(bootstrap)) as letters:
        async for letter, content in letters:
            tags = [header.value.decode() for header in content.headers if header.key == TAG]
            made = by_tag.get(tags[0]) if tags else None
            # What was put among the letters themselves is listed as one, and has nowhere to go back to.
            if letter.error == "Undecodable" and made is not None and made.topic != topics.DEAD_LETTERS:
                found.append((letter, content, made))
    loaded = Pipelines.load(pipelines)
    wrong = await _by_command(bootstrap, loaded, found[:BY_COMMAND])
    wrong += await _in_bulk(bootstrap, loaded, found[BY_COMMAND:])
    wrong += await _again(bootstrap, loaded, [letter for letter, _, _ in found])
    return [made for _, _, made in found], wrong


def mended(made: Mutant) -> Wish:
    """With the bytes that the mutant was made from."""
    return Wish(repair=Repair(value=made.sample.value, headers=((headers.CONTENT_TYPE, made.sample.content_type),)))


async def _by_command(
    bootstrap: str, pipelines: Pipelines, found: Sequence[tuple[Letter, DeadLetter, Mutant]]
) -> list[str]:
    wrong: list[str] = []
    for letter, _, made in found:
        async with aclosing(Redrive(mended(made), pipelines).run(bootstrap, [letter])) as outcomes:
            wrong += [f"mutant {made.number} was not redriven: {each}" async for each in outcomes
                      if not isinstance(each, Redriven)]  # fmt: skip
    return wrong


async def _in_bulk(
    bootstrap: str, pipelines: Pipelines, found: Sequence[tuple[Letter, DeadLetter, Mutant]]
) -> list[str]:
    wrong: list[str] = []
    now_ms = int(time() * 1000)
    async with Disposing(bootstrap) as disposing:
        for start in range(0, len(found), BATCH):
            batch: list[tuple[DeadLetterDisposition, Onward | None]] = []
            for letter, content, made in found[start : start + BATCH]:
                try:
                    onward = plan(content, mended(made), pipelines, now_ms=now_ms).onward
                except Invalid as exc:
                    wrong.append(f"mutant {made.number} cannot be redriven: {exc}")
                    continue
                noted = DeadLetterDisposition(letter_id=letter.id, action=DeadLetterDisposition.REDRIVEN, repaired=True)
                batch.append((noted, onward))
            await disposing.dispose(batch)
    return wrong


async def _again(bootstrap: str, pipelines: Pipelines, letters: Sequence[Letter]) -> list[str]:
    """A second redrive of the same letters does nothing."""
    async with aclosing(Redrive(Wish(), pipelines).run(bootstrap, letters)) as outcomes:
        return [f"{each.letter.id} was redriven twice" async for each in outcomes if not isinstance(each, Settled)]
