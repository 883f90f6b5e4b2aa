"""From what people said to examples that a model can be trained on."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from services.feedback.domain.reporting import Window
from services.feedback.domain.training import Example, Skipped, example_of
from services.feedback.ports import Scrubber, Store


@dataclass(slots=True)
class Exported:
    """What became of the answers that were looked at."""

    answers: int = 0
    examples: int = 0
    corrected: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    masked: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """For the summary."""
        skipped = {str(reason): self.skipped[reason] for reason in Skipped}
        return {
            "answers": self.answers,
            "examples": self.examples,
            "corrected": self.corrected,
            "skipped": skipped,
            "masked": dict(sorted(self.masked.items())),
        }


class Exporting:
    """Chooses, scrubs and tells apart."""

    def __init__(self, store: Store, scrubber: Scrubber) -> None:
        self._store = store
        self._scrubber = scrubber

    async def examples(self, window: Window, least_worth: float, told: Exported) -> AsyncIterator[Example]:
        """Each example once; `told` counts along."""
        seen: set[str] = set()
        async with aclosing(self._store.rated(window)) as answers:
            async for rated in answers:
                told.answers += 1
                found = example_of(rated, least_worth)
                if isinstance(found, Skipped):
                    told.skipped[found] += 1
                    continue
                # Before they are told apart: two that differ in a name alone are one.
                scrubbed = await self._scrubber.scrub((found.prompt, found.completion))
                prompt, completion = scrubbed.texts
                example = Example(prompt, completion, corrected=found.corrected)
                if example.digest in seen:
                    told.skipped[Skipped.DUPLICATE] += 1
                    continue
                seen.add(example.digest)
                told.masked.update(scrubbed.masked)
                told.examples += 1
                told.corrected += example.corrected
                yield example
