"""Policies from `infra/policies`: read once, checked, each with the detectors that its rules need."""

from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import ValidationError

from headrace.messaging.errors import Fatal
from headrace.runtime.pipelines import Pipelines
from services.safety.adapters.identifiers import identifiers
from services.safety.adapters.phones import phones
from services.safety.domain import personal_data
from services.safety.domain.findings import Detectors, InjectionScore, Recogniser
from services.safety.domain.identifiers import KINDS
from services.safety.domain.policy import MODELLED, InjectionRule, PersonalDataRule, Policy
from services.safety.ports import Names, Rulebook


def load_policies(folder: Path) -> dict[str, Policy]:
    """Every `*.yaml` of the folder by its name; a file that does not fit is `Fatal` and named."""
    found: dict[str, Policy] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            policy = Policy.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (ValidationError, yaml.YAMLError) as exc:
            raise Fatal(f"{path} is no policy: {exc}") from exc
        found[policy.name] = policy
    return found


def detectors_for(policy: Policy, injection: InjectionScore, names: Names | None = None) -> Detectors:
    """The recognisers of personal data with the policy's regions, the injection score, and the model of names."""
    personal: dict[str, Recogniser] = {
        "EMAIL": personal_data.emails,
        "PHONE": phones(policy.phone_regions),
        "CREDIT_CARD": personal_data.cards,
        "IBAN": personal_data.ibans,
        "US_SSN": personal_data.social_security_numbers,
        "IP_ADDRESS": personal_data.ip_addresses,
        "BIRTH_DATE": personal_data.birth_dates,
        **{kind: identifiers(kind) for kind in KINDS},
    }
    if names:
        personal |= {"PERSON": names.people, "ADDRESS": names.addresses}
    return Detectors(personal, injection)


def needs_injection_head(policies: Mapping[str, Policy]) -> bool:
    """Whether any rule asks the injection classifier."""
    return any(isinstance(rule, InjectionRule) for policy in policies.values() for rule in policy.rules)


def needs_names(policies: Mapping[str, Policy]) -> bool:
    """Whether any rule looks for what only the model of names finds."""
    rules = (rule for policy in policies.values() for rule in policy.rules if isinstance(rule, PersonalDataRule))
    return any(MODELLED & set(rule.entities) for rule in rules)


class PipelinePolicies:
    """Which pipeline goes by which policy stands in the pipeline's file."""

    def __init__(
        self,
        pipelines: Pipelines,
        policies: Mapping[str, Policy],
        injection: InjectionScore,
        names: Names | None = None,
    ) -> None:
        self._pipelines = pipelines
        self._rulebooks = {
            name: Rulebook(policy, detectors_for(policy, injection, names)) for name, policy in policies.items()
        }

    def of(self, pipeline: str) -> Rulebook:
        name = self._pipelines.get(pipeline).settings.get("policy", "default")
        try:
            return self._rulebooks[name]
        except KeyError:
            known = ", ".join(sorted(self._rulebooks)) or "none"
            raise Fatal(
                f"pipeline {pipeline} goes by policy {name!r}, which is not in infra/policies (there: {known}): "
                "correct `policy` in the pipeline's file or add the policy"
            ) from None
