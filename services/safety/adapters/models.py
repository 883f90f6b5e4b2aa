"""The models that rules look with: loaded with the service, each only where a policy in use asks for it."""

import asyncio
from collections.abc import Mapping

from headrace.models.registry import load_registry
from headrace.runtime.paths import infra_dir
from services.safety.adapters.injection_model import InjectionModel
from services.safety.adapters.names import NameModel
from services.safety.adapters.policies import needs, needs_names
from services.safety.adapters.toxicity import ToxicityModel
from services.safety.domain.policy import HiddenInstructionRule, InjectionRule, Policy, ToxicityRule
from services.safety.ports import Looks


class Models:
    """Cheap to make; `warm_up` fetches, trains and loads. Asked before, a rule raises: nothing passes unjudged."""

    def __init__(self, names: str, instructions: tuple[str, ...]) -> None:
        self._injection = InjectionModel("injection")
        self._hidden = InjectionModel("hidden")
        self._toxicity = ToxicityModel()
        self._names = NameModel(lambda: load_registry(infra_dir() / "models").get(names, task="tag"))
        self._instructions = instructions

    @property
    def looks(self) -> Looks:
        """What rules look with."""
        return Looks(
            injection=self._injection,
            hidden=self._hidden,
            toxicity=self._toxicity,
            names=self._names,
            instructions=self._instructions,
        )

    async def warm_up(self, policies: Mapping[str, Policy], training_seconds: float) -> None:
        """Make ready what the rules of these policies ask for, and nothing else."""
        if needs(policies, InjectionRule):
            await self._injection.warm_up(training_seconds)
        if needs(policies, HiddenInstructionRule):
            await self._hidden.warm_up(training_seconds)
        if needs(policies, ToxicityRule):
            await self._toxicity.warm_up()
        if needs_names(policies):
            await asyncio.to_thread(self._names.warm_up)
