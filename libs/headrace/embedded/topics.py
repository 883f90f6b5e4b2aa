"""The plan of all topics: `infra/kafka/topics.yaml`."""

import os
from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from headrace.messaging.admin import TopicSpec, apply_topics
from headrace.messaging.errors import Fatal
from headrace.runtime.misfits import misfit
from headrace.runtime.paths import infra_dir


class PlannedTopic(BaseModel):
    """One entry of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    partitions: int = Field(ge=1)
    config: Mapping[str, str | int] = Field(default_factory=dict)


class TopicPlan(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    replication: int = Field(ge=1)
    # Anchors for the entries below; not read.
    kinds: Mapping[str, PlannedTopic] = Field(default_factory=dict)
    topics: Mapping[str, PlannedTopic]

    @classmethod
    def load(cls, path: Path | None = None) -> "TopicPlan":
        """Read the plan; a file that does not fit is `Fatal`. HEADRACE_KAFKA_REPLICATION overrides the replicas."""
        path = path or infra_dir() / "kafka" / "topics.yaml"
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
            if replication := os.environ.get("HEADRACE_KAFKA_REPLICATION"):
                content["replication"] = replication
            return cls.model_validate(content)
        except (OSError, ValidationError, yaml.YAMLError) as exc:
            raise Fatal(f"{path} is no plan of topics: {misfit(exc)}") from exc

    def specs(self) -> dict[str, TopicSpec]:
        """The plan in the broker's words."""
        return {
            name: TopicSpec(
                topic.partitions, self.replication, {key: str(value) for key, value in topic.config.items()}
            )
            for name, topic in self.topics.items()
        }


async def ensure_topics(bootstrap: str) -> tuple[str, ...]:
    """Bring the broker's topics to the plan; the names of those that were created."""
    return await apply_topics(bootstrap, TopicPlan.load().specs())
