"""Texts to be made vectors: as they are, since whoever compares two vectors wants nothing changed in either."""

from typing import Final

from headrace.runtime.pipelines import Pipeline
from headrace.v1.turns_pb2 import Prepared
from services.preprocessing.domain.request import Prompt
from services.preprocessing.handlers.preparing import setting
from services.preprocessing.ports import Models

_EMBED: Final = "embed"


def makes_vectors(pipeline: Pipeline) -> bool:
    """Whether the pipeline is for texts to be embedded, and for nothing else."""
    return pipeline.settings.get("task") == _EMBED


class Inputs:
    """Chooses the model."""

    def __init__(self, models: Models) -> None:
        self._models = models

    async def section(self, prompt: Prompt, pipeline: Pipeline) -> Prepared:
        """The texts and their model; raises `Invalid` where that embeds nothing."""
        model = await self._models.get(prompt.model or setting(pipeline, "model"), task=_EMBED)
        return Prepared(input=prompt.input, model=model.name, model_revision=model.revision)
