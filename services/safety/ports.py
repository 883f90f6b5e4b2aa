"""What the handlers need from outside."""

from dataclasses import dataclass
from typing import Protocol

from services.safety.domain.findings import Detectors
from services.safety.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class Rulebook:
    """A policy, and what its rules look with."""

    policy: Policy
    detectors: Detectors


class Policies(Protocol):
    """The policy of each pipeline."""

    def of(self, pipeline: str) -> Rulebook:
        """The pipeline's rulebook; raises `Invalid` for a pipeline that is not known."""
        ...
