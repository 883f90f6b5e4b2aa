"""Texts put into classes, by the topics."""

import os
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from headrace.client.reviews import Batch, classify
from headrace.client.rows.row import Row
from headrace.v1.reviews_pb2 import Label, ReviewClassified

_BOOTSTRAP: Final = "HEADRACE_KAFKA_BOOTSTRAP"
# A name alone, or a name and what such a text says.
Labels = Sequence[str] | Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Classified:
    """What became of one text; `error` says why it has no label."""

    index: int
    label: str
    confidence: float
    scores: Mapping[str, float] = field(default_factory=dict)
    model: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """By whom and how; empty is the service's default."""

    tenant: str
    model: str
    pipeline: str
    # `Retryable` after so long without any result.
    patience_s: float


def broker(address: str | None) -> str:
    """The address of the broker."""
    return address or os.environ.get(_BOOTSTRAP) or "127.0.0.1:9092"


async def classify_each(bootstrap: str, texts: Iterable[str], labels: Labels, how: Asked) -> AsyncIterator[Classified]:
    """Each text's result as it comes; `index` is its place among the texts."""
    batch = Batch(
        labels=_labels(labels), tenant=how.tenant, model=how.model, pipeline=how.pipeline, patience_s=how.patience_s
    )
    rows = (Row(line, line, text) for line, text in enumerate(texts, 1))
    async for line, classified in classify(bootstrap, batch, rows):
        yield _classified(line - 1, classified)


def _labels(labels: Labels) -> list[Label]:
    described = labels.items() if isinstance(labels, Mapping) else ((name, "") for name in labels)
    return [Label(name=name, description=description) for name, description in described]


def _classified(index: int, classified: ReviewClassified) -> Classified:
    error = classified.error.message or classified.error.code
    if error:
        return Classified(index, "", 0.0, error=error)
    return Classified(index, classified.label, classified.confidence, dict(classified.scores), classified.model)
