"""Pipelines: the route of a turn, as data. A new route is a new file in `infra/pipelines`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from headrace.messaging.errors import Fatal, Invalid
from headrace.runtime.misfits import misfit
from headrace.v1.turns_pb2 import Slip


class Pipeline(BaseModel):
    """One file of `infra/pipelines`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: str
    lane: Literal["interactive", "batch"]
    stages: tuple[str, ...] = Field(min_length=1)
    deadline_seconds: float = Field(gt=0)
    settings: Mapping[str, str] = Field(default_factory=dict)
    # Whether a turn that waits for its next try keeps those behind it on its key waiting too.
    ordered: bool = False
    # `exactly_once`: the lane's effects and offsets are committed in Kafka transactions.
    delivery: Literal["at_least_once", "exactly_once"] = "at_least_once"

    def slip(self) -> Slip:
        """A fresh routing slip, all stages still to come."""
        return Slip(
            pipeline=self.name, version=self.version, remaining=self.stages, lane=self.lane, ordered=self.ordered
        )


class Pipelines:
    """All pipelines by name."""

    def __init__(self, pipelines: Mapping[str, Pipeline]) -> None:
        self._pipelines = dict(pipelines)

    @classmethod
    def load(cls, folder: Path) -> "Pipelines":
        """Read every `*.yaml` of the folder; a file that does not fit is `Fatal` and named."""
        found: dict[str, Pipeline] = {}
        for path in sorted(folder.glob("*.yaml")):
            try:
                pipeline = Pipeline.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
            except (ValidationError, yaml.YAMLError) as exc:
                raise Fatal(f"{path} is no pipeline: {misfit(exc)}") from exc
            found[pipeline.name] = pipeline
        if not found:
            raise Fatal(f"no pipelines in {folder}: set HEADRACE_INFRA_DIR to the folder that holds pipelines/")
        return cls(found)

    @property
    def exactly_once_lanes(self) -> frozenset[str]:
        """The lanes of which a pipeline asks for transactions; all turns of a lane travel the same way."""
        return frozenset(each.lane for each in self._pipelines.values() if each.delivery == "exactly_once")

    def all(self) -> list[Pipeline]:
        """Every pipeline, by name."""
        return [self._pipelines[name] for name in sorted(self._pipelines)]

    @property
    def names(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(sorted(self._pipelines))

    def get(self, name: str) -> Pipeline:
        """The pipeline of this name, or `Invalid` naming the known ones."""
        try:
            return self._pipelines[name]
        except KeyError:
            known = ", ".join(sorted(self._pipelines))
            raise Invalid(
                f"unknown pipeline {name!r}: use one of {known}", code="unknown_pipeline", field="pipeline"
            ) from None
