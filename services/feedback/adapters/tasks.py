"""What the command line asks of this service, as one JSON object, and where an export is written."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from headrace.messaging.errors import Invalid
from headrace.stores.replacing import replacing
from services.feedback.domain.reporting import Summary, Window
from services.feedback.domain.training import Example, Shape


class Request(BaseModel):
    """Which answers; for an export also which examples, and where to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant: str | None = None
    pipeline: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    least_worth: float = Field(0.75, ge=0, le=1)
    shape: Shape = "prompt"
    output: Path | None = None

    @classmethod
    def read(cls, text: str) -> "Request":
        """From JSON; `Invalid` names what does not fit."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as exc:
            fields = ", ".join(str(place) for error in exc.errors() for place in error["loc"])
            raise Invalid(f"the request does not fit: look at {fields or 'its form'}") from None

    @property
    def window(self) -> Window:
        """As the domain takes it."""
        return Window(self.tenant, self.pipeline, self.since_ms, self.until_ms)


def told(summary: Summary) -> dict[str, Any]:
    """A line of the report."""
    liked = summary.liked
    return {
        "model": summary.model,
        "template": summary.template,
        "arm": summary.arm,
        "answers": summary.turns,
        "ratings": summary.ratings,
        "mean": summary.mean_worth,
        "thumbs_up": summary.up,
        "thumbs_down": summary.down,
        "liked": None if liked is None else {"share": liked.value, "low": liked.low, "high": liked.high},
        "stars": dict(zip(("1", "2", "3", "4", "5"), summary.stars, strict=True)),
        "comments": summary.comments,
        "corrections": summary.corrections,
        "reasons": dict(summary.reasons),
    }


async def write(path: Path, examples: AsyncIterator[Example], shape: Shape) -> None:
    """One example a line, there when all are; `Invalid` where there is none, and then no file."""
    with replacing(path) as file:
        async for example in examples:
            file.write(orjson.dumps(example.shaped(shape)) + b"\n")
        if not file.tell():
            raise Invalid("no answer makes an example", code="no_examples")
