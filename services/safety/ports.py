"""What the handlers need from outside."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from services.safety.domain.findings import Detectors, Finding, InjectionScore
from services.safety.domain.policy import MODELLED, PersonalDataRule, Policy


@dataclass(frozen=True, slots=True)
class Rulebook:
    """A policy, and what its rules look with."""

    policy: Policy
    detectors: Detectors
    # Policies on trial beside this one: judged on the same turns, without any effect on them.
    trials: tuple["Rulebook", ...] = ()

    @property
    def waits_for_a_model(self) -> bool:
        """Whether judging an answer takes long enough to hold up the streams of others."""
        rules = (rule for rule in self.policy.rules if isinstance(rule, PersonalDataRule) and rule.looks_at("output"))
        return any(MODELLED & set(rule.entities) for rule in rules)


class Names(Protocol):
    """Finds people and where they live. It blocks for milliseconds a sentence."""

    def people(self, text: str) -> Iterable[Finding]:
        """Names of people."""
        ...

    def addresses(self, text: str) -> Iterable[Finding]:
        """Postal addresses."""
        ...


@dataclass(frozen=True, slots=True)
class Looks:
    """What the rules of every policy look with, beside patterns."""

    injection: InjectionScore = lambda _text: 0.0
    hidden: InjectionScore = lambda _text: 0.0
    toxicity: InjectionScore = lambda _text: 0.0
    names: Names | None = None
    instructions: tuple[str, ...] = ()


class Policies(Protocol):
    """The policy of each pipeline."""

    def of(self, pipeline: str) -> Rulebook:
        """The pipeline's rulebook; raises `Invalid` for a pipeline that is not known."""
        ...
